// Reads peers.json at a start, or its backup; sets a list that does not parse aside. Writes no list.

import type { UselessEntries } from '../store.ts'
import { type DecodedList, decodeList } from './entry-codec.ts'
import { type FileSystem, unlinkIfExists } from './file-system.ts'
import type { SnapshotMark } from './journal.ts'
import { jsonFault } from './json-fault.ts'
import type { Layout } from './layout.ts'
import { hashOf, readWhole, type SnapshotFile } from './snapshot.ts'
import { nameUseless } from './useless-entries.ts'

/** How many lists that do not parse are kept for the operator. */
const MAX_CORRUPT = 5

/** What the journals say before the list is read, and where warnings for the operator go. */
export interface Told {
  readonly now: number
  readonly marks: readonly SnapshotMark[]
  readonly warnings: string[]
}

export interface List {
  readonly path: string
  readonly contents: DecodedList
  readonly useless: UselessEntries
  readonly hash: string
  /** Set when it is `peers.json` itself and not the backup. */
  readonly file: SnapshotFile | undefined
}

/** The list, or the backup where the list is missing or does not parse. */
export async function readList(fs: FileSystem, layout: Layout, told: Told): Promise<List | undefined> {
  const { now, warnings } = told
  const whole = await readWhole(fs, layout.peers)
  if (whole !== undefined) {
    const list = decode(layout.peers, whole.bytes, told)
    if (!(list instanceof Error)) {
      return { ...list, file: { stat: whole.stat, hash: list.hash } }
    }
    const aside = await setAside(fs, layout, now)
    warnings.push(`${layout.peers} is not a list of peers (${list.message}); it was set aside as ${aside}`)
  }
  const backup = await readBackup(fs, layout, told)
  if (backup instanceof Error) {
    warnings.push(`${layout.backup} is not a list of peers either (${backup.message}); only the journal was taken`)
    return undefined
  }
  if (backup !== undefined) {
    warnings.push(
      `${whole === undefined ? `${layout.peers} is missing; ` : ''}the list before it, ${layout.backup}, was taken with its journal`,
    )
  }
  return backup
}

export async function readBackup(fs: FileSystem, layout: Layout, told: Told): Promise<List | Error | undefined> {
  const whole = await readWhole(fs, layout.backup)
  return whole && decode(layout.backup, whole.bytes, told)
}

function decode(path: string, bytes: Buffer, { now, marks }: Told): List | Error {
  try {
    const hash = hashOf(bytes)
    const contents = decodeList(bytes, now, lastMark(marks, hash) !== undefined)
    return { path, contents, useless: nameUseless(bytes, contents.useless), hash, file: undefined }
  } catch (error) {
    // SyntaxError; RangeError when it is nested deeper than the stack.
    return new Error(jsonFault(error, bytes.toString()), { cause: error })
  }
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

/** The same list may have been written twice; then the later journal is enough. */
export function lastMark(marks: readonly SnapshotMark[], hash: string): number | undefined {
  const matching = marks.filter((mark) => mark.snapshot === hash).map((mark) => mark.since)
  return matching.length === 0 ? undefined : Math.max(...matching)
}
