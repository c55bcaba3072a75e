// Recovers the table from the list and the journals, at a start.

import { keyText, type RegistrationRecord } from '../../registry/registration.ts'
import type { Recovered } from '../store.ts'
import { isGreat, type Loss, lossBy } from './edit-guard.ts'
import { type FileSystem, unlinkIfExists } from './file-system.ts'
import { editedSince, type PendingEdit } from './hand-edit.ts'
import { type JournalEntry, type Losses, readJournal, type SnapshotMark } from './journal.ts'
import type { Layout } from './layout.ts'
import { type List, lastMark, readBackup, readList } from './list-file.ts'
import type { SnapshotFile } from './snapshot.ts'
import { uselessText } from './useless-entries.ts'

/** The contents of the files, and what the store needs to go on writing them. */
export interface Recovery {
  readonly recovered: Recovered
  /** Registrations that an edited list leaves out and that stay: the journal is to have them before the next snapshot. */
  readonly kept: readonly RegistrationRecord[]
  /** The current list; undefined when there is none, or none that was taken. */
  readonly file: SnapshotFile | undefined
  /** The list where it was edited and the edit is not taken. */
  readonly pending: PendingEdit | undefined
  /** The list, with the journals from this generation on, is the whole table. */
  readonly since: number
  /** As {@link since} for the backup; all there are where it is unknown. */
  readonly backupSince: number
  /** No journal has this generation or a later one. */
  readonly nextGeneration: number
  /** Registrations from before this (ms) are in the list, unless the operator deleted them. */
  readonly listedBefore: number
}

export interface RecoverOptions {
  readonly now: number
  /** Take an edited list, however many registrations it leaves out. */
  readonly acceptEdit: boolean
}

/** Reads the snapshot, then the journals. Rejects with the system's error when something that exists can't be read. */
export async function recover(fs: FileSystem, layout: Layout, { now, acceptEdit }: RecoverOptions): Promise<Recovery> {
  const warnings: string[] = []
  const generations = layout.journalsIn(await fs.readdir(layout.directory))
  await unlinkIfExists(fs, layout.draft)
  await unlinkIfExists(fs, layout.backupDraft)
  const { marks, cuts } = await readMarks(fs, layout, generations, now)

  const told = { now, marks, warnings }
  const list = await readList(fs, layout, told)
  const table = tableOf(list, marks)
  const isEdited = list?.file !== undefined && !table.trusted && generations.length > 0
  const before = isEdited ? tableOf(await readBackup(fs, layout, told), marks) : undefined
  const tables = before === undefined ? [table] : [table, before]
  for (const generation of generations) {
    const path = layout.journal(generation)
    const concerned = tables.filter(({ from }) => generation >= from)
    if (concerned.length > 0) {
      const end = cuts.get(generation) ?? Number.POSITIVE_INFINITY
      const options = { end, onlyMarks: false, now }
      noteLosses(path, await readJournal(fs, path, options, (entry) => replay(entry, concerned)), warnings)
    }
  }

  const edit = before && editOf(table, before, { now, acceptEdit })
  const isLeftAlone = edit !== undefined && isGreat(edit) && !acceptEdit
  const taken = isLeftAlone ? before! : table
  if (!isLeftAlone) {
    noteList(layout, table, { edit, marks, generations, warnings })
  }
  return {
    recovered: {
      records: [...taken.records.values()].filter((record) => record.expiresAt > now),
      statics: (taken.list ?? list)?.contents.statics ?? [],
      trusted: taken.trusted,
      warnings,
    },
    kept: isLeftAlone ? [] : (edit?.newer ?? []),
    file: isLeftAlone ? undefined : list?.file,
    pending: isLeftAlone ? pendingEdit(list!.file!, edit) : undefined,
    since: table.since ?? generations[0] ?? 0,
    backupSince: generations[0] ?? 0,
    nextGeneration: (generations.at(-1) ?? 0) + 1,
    listedBefore: (isLeftAlone ? begunBefore(before!.list, marks) : undefined) ?? Math.min(now, taken.oldestPut),
  }
}

/** The marks of all snapshots, oldest first, and how much of each failed journal counts. */
async function readMarks(fs: FileSystem, layout: Layout, generations: readonly number[], now: number) {
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
  return { marks, cuts }
}

/** A list, completed by the journals. */
interface RecoveredTable {
  readonly list: List | undefined
  /** By {@link keyText}. */
  readonly records: Map<string, RegistrationRecord>
  /** The generation in its mark; undefined without a mark. */
  readonly since: number | undefined
  /** The journals from this generation on belong to it. */
  readonly from: number
  /** Whether it is what was written. */
  readonly trusted: boolean
  /** The time of the oldest registration in the journals. */
  oldestPut: number
}

function tableOf(read: List | Error | undefined, marks: readonly SnapshotMark[]): RecoveredTable {
  const list = read instanceof Error ? undefined : read
  const since = list && lastMark(marks, list.hash)
  // Without a list there is nothing to distrust: the lines of a journal have checksums of their own.
  const trusted = list === undefined || since !== undefined
  const records = list?.contents.records ?? new Map<string, RegistrationRecord>()
  if (!trusted) {
    for (const [key, record] of records) {
      records.set(key, { ...record, provedAt: 0 })
    }
  }
  return { list, records, since, from: since ?? 0, trusted, oldestPut: Number.POSITIVE_INFINITY }
}

function replay(entry: JournalEntry, tables: readonly RecoveredTable[]): void {
  for (const table of tables) {
    if (entry.kind === 'put') {
      table.records.set(keyText(entry.record), entry.record)
      table.oldestPut = Math.min(table.oldestPut, entry.record.registeredAt)
    } else if (entry.kind === 'remove') {
      table.records.delete(keyText(entry.key))
    }
  }
}

/** What an edit changes in the previous table. What the journals bring back was not removed. */
interface Edit extends Loss {
  /** The registrations that it leaves out, and that came after the list that the operator edited. */
  readonly newer: readonly RegistrationRecord[]
  readonly added: number
}

/** Also puts back into the edited table what came after the list that the operator edited. */
function editOf(edited: RecoveredTable, before: RecoveredTable, { now, acceptEdit }: RecoverOptions): Edit {
  const statics = edited.list?.contents.statics ?? []
  const base = edited.list && editedSince(edited.list.contents, now)
  const contents = { records: edited.records.values(), statics }
  let loss = lossBy(contents, before.records.values(), { since: base ?? Number.POSITIVE_INFINITY, now })
  if (base === undefined && !acceptEdit && !isGreat(loss)) {
    loss = lossBy({ ...contents, records: edited.records.values() }, before.records.values(), { since: 0, now })
  }
  let added = 0
  for (const [key, record] of edited.records) {
    const known = before.records.get(key)
    if (known !== undefined) {
      // It may have been renewed since the operator opened the list.
      edited.records.set(key, { ...known, provedAt: record.provedAt })
    } else if (record.expiresAt > now) {
      added += 1
    }
  }
  for (const record of loss.newer) {
    edited.records.set(keyText(record), record)
  }
  return { ...loss, added }
}

function pendingEdit(file: SnapshotFile, { dropped, of }: Loss): PendingEdit {
  return { file, edit: { outcome: 'refused', dropped, of, confirmIn: undefined } }
}

/**
 * When the edited list was begun, or earlier: at the first snapshot after the backup. A later one may have failed
 * before it became the list.
 */
function begunBefore(backup: List | undefined, marks: readonly SnapshotMark[]): number | undefined {
  const index = marks.findLastIndex((mark) => mark.snapshot === backup?.hash)
  return (marks[index + 1] ?? marks[index])?.began
}

interface Findings {
  readonly edit: Edit | undefined
  readonly marks: readonly SnapshotMark[]
  readonly generations: readonly number[]
  readonly warnings: string[]
}

function noteList(layout: Layout, table: RecoveredTable, { edit, marks, generations, warnings }: Findings): void {
  const { list, trusted } = table
  if (list === undefined && marks.length > 0) {
    warnings.push(`no list of peers was found at ${layout.peers}; only the last changes in its journal could be taken`)
  }
  if (list === undefined || trusted) {
    return
  }
  if (list.useless.count > 0) {
    warnings.push(`${list.useless.count} entries of ${list.path} are of no use: ${uselessText(list.useless)}`)
  }
  if (generations.length > 0) {
    const counts = edit === undefined ? '' : ` ${edit.added} registrations came in, ${edit.dropped} went, and`
    warnings.push(
      `${list.path} is not as it was last written (edited by hand, or damaged):${counts} its peers are proved anew`,
    )
  }
}

function noteLosses(path: string, { torn, damaged }: Losses, warnings: string[]): void {
  if (torn > 0) {
    warnings.push(`the last ${torn} bytes of ${path} were never finished and were dropped`)
  }
  if (damaged > 0) {
    warnings.push(`${damaged} lines of ${path} are damaged and were left out`)
  }
}
