import type { RegistrationRecord } from '../registry/registration.ts'
import { type DecodedList, decodeList, keyText } from './entry-codec.ts'
import { type FileSystem, unlinkIfExists } from './file-system.ts'
import { type Losses, readJournal, type SnapshotMark } from './journal.ts'
import type { Layout } from './layout.ts'
import { hashOf, readWhole, type SnapshotFile } from './snapshot.ts'
import type { Recovered } from './store.ts'

/** What the files held, and what the store must know to go on writing them. */
export interface Recovery {
  readonly recovered: Recovered
  /** The list as it stands; undefined when there is none. */
  readonly file: SnapshotFile | undefined
  /** The list, with the journals from this generation on, is the whole table. */
  readonly since: number
  /** As {@link since} for the backup; all there are where it is not known. */
  readonly backupSince: number
  /** No journal has this generation or a later one. */
  readonly nextGeneration: number
  /** What was registered before this (ms) is in the list, unless somebody deleted it. */
  readonly listedBefore: number
}

/** Lists that don't parse are kept for the operator, the last ones of them. */
const MAX_CORRUPT = 5

/** Snapshot, then journals. Rejects with the system's error when something that exists can't be read. */
export async function recover(fs: FileSystem, layout: Layout, now: number): Promise<Recovery> {
  const notices: string[] = []
  const names = await fs.readdir(layout.directory)
  const generations = layout.journalsIn(names)
  await unlinkIfExists(fs, layout.draft)
  await unlinkIfExists(fs, layout.backupDraft)

  const marks: SnapshotMark[] = []
  const cuts = new Map<number, number>()
  for (const generation of generations) {
    const options = { end: Number.POSITIVE_INFINITY, onlyMarks: true, now }
    await readJournal(fs, layout.journal(generation), options, (entry) => {
      if (entry.kind === 'snapshot') {
        marks.push(entry.mark)
      } else if (entry.kind === 'header' && entry.cut !== undefined) {
        cuts.set(entry.cut.generation, entry.cut.length)
      }
    })
  }

  const list = await readList(fs, layout, { now, marks, notices })
  const since = list && lastMark(marks, list.hash)
  // Without a list there is nothing to distrust: the lines of a journal have checksums of their own.
  const trusted = list === undefined || since !== undefined
  if (list === undefined && marks.length > 0) {
    notices.push(`no list of peers was found at ${layout.peers}; only the last changes in its journal could be taken`)
  }
  if (!trusted && generations.length > 0) {
    notices.push(`${list.path} is not as it was last written (edited by hand, or damaged): its peers are proved anew`)
  }
  const records = list?.contents.records ?? new Map<string, RegistrationRecord>()
  if (list !== undefined && list.contents.damaged > 0) {
    notices.push(`${list.contents.damaged} entries of ${list.path} are not valid and were left out`)
  }
  if (!trusted) {
    for (const [key, record] of records) {
      records.set(key, { ...record, provedAt: 0 })
    }
  }

  let listedBefore = now
  const from = since ?? 0
  for (const generation of generations.filter((each) => each >= from)) {
    const path = layout.journal(generation)
    const end = cuts.get(generation) ?? Number.POSITIVE_INFINITY
    const losses = await readJournal(fs, path, { end, onlyMarks: false, now }, (entry) => {
      if (entry.kind === 'put') {
        records.set(keyText(entry.record), entry.record)
        listedBefore = Math.min(listedBefore, entry.record.registeredAt)
      } else if (entry.kind === 'remove') {
        records.delete(keyText(entry.key))
      }
    })
    noteLosses(path, losses, notices)
  }

  return {
    recovered: {
      records: [...records.values()].filter((record) => record.expiresAt > now),
      statics: list?.contents.statics ?? [],
      trusted,
      notices,
    },
    file: list?.file,
    since: since ?? generations[0] ?? 0,
    backupSince: generations[0] ?? 0,
    nextGeneration: (generations.at(-1) ?? 0) + 1,
    listedBefore,
  }
}

/** What the journals told before the list is read, and where to write down what the operator should know. */
interface Told {
  readonly now: number
  readonly marks: readonly SnapshotMark[]
  readonly notices: string[]
}

interface List {
  readonly path: string
  readonly contents: DecodedList
  readonly hash: string
  /** Set when it is `peers.json` itself and not the backup. */
  readonly file: SnapshotFile | undefined
}

/** The list, or the backup where the list is missing or does not parse. */
async function readList(fs: FileSystem, layout: Layout, told: Told): Promise<List | undefined> {
  const { now, notices } = told
  const whole = await readWhole(fs, layout.peers)
  if (whole !== undefined) {
    const hash = hashOf(whole.bytes)
    const contents = tryDecode(whole.bytes, hash, told)
    if (!(contents instanceof Error)) {
      return { path: layout.peers, contents, hash, file: { stat: whole.stat, hash } }
    }
    const aside = await setAside(fs, layout, now)
    notices.push(`${layout.peers} is not a list of peers (${contents.message}); it was set aside as ${aside}`)
  }
  const backup = await readWhole(fs, layout.backup)
  if (backup === undefined) {
    return undefined
  }
  const hash = hashOf(backup.bytes)
  const contents = tryDecode(backup.bytes, hash, told)
  if (contents instanceof Error) {
    notices.push(`${layout.backup} is not a list of peers either (${contents.message}); only the journal was taken`)
    return undefined
  }
  notices.push(
    `${whole === undefined ? `${layout.peers} is missing; ` : ''}the list before it, ${layout.backup}, was taken with its journal`,
  )
  return { path: layout.backup, contents, hash, file: undefined }
}

async function setAside(fs: FileSystem, layout: Layout, now: number): Promise<string> {
  const aside = layout.corrupt(now)
  await fs.rename(layout.peers, aside)
  await fs.syncDirectory(layout.directory)
  for (const path of layout.corruptIn(await fs.readdir(layout.directory)).slice(0, -MAX_CORRUPT)) {
    await unlinkIfExists(fs, path)
  }
  return aside
}

function tryDecode(bytes: Buffer, hash: string, { now, marks }: Told): DecodedList | Error {
  try {
    return decodeList(bytes, now, lastMark(marks, hash) !== undefined)
  } catch (error) {
    // SyntaxError; RangeError when it is nested deeper than the stack.
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** The same list may have been written twice; then the later journal is enough. */
function lastMark(marks: readonly SnapshotMark[], hash: string): number | undefined {
  const matching = marks.filter((mark) => mark.snapshot === hash).map((mark) => mark.since)
  return matching.length === 0 ? undefined : Math.max(...matching)
}

function noteLosses(path: string, { torn, damaged }: Losses, notices: string[]): void {
  if (torn > 0) {
    notices.push(`the last ${torn} bytes of ${path} were never finished and were dropped`)
  }
  if (damaged > 0) {
    notices.push(`${damaged} lines of ${path} are damaged and were left out`)
  }
}
