import type { ListEdit, RefusedEdit, Table, TakenEdit, UnreadableEdit } from '../store.ts'
import { type EditGuard, lossBy } from './edit-guard.ts'
import { decodeList } from './entry-codec.ts'
import { type FileSystem, statIfExists } from './file-system.ts'
import { jsonFault } from './json-fault.ts'
import { hashOf, readWhole, type SnapshotFile, sameFile } from './snapshot.ts'
import { nameUseless } from './useless-entries.ts'

/** An edit that is left alone: the file as it was when it was looked at, and why. */
export interface PendingEdit {
  readonly file: SnapshotFile
  readonly edit: UnreadableEdit | RefusedEdit
}

/** The list as it was last read or written. */
export interface KnownList {
  file: SnapshotFile | undefined
  pending: PendingEdit | undefined
  /** What was registered before this (ms) is in it, unless somebody deleted it. */
  readonly listedBefore: number
}

export interface HandEditInit {
  readonly fs: FileSystem
  readonly path: string
  readonly list: KnownList
  readonly table: Table
  readonly guard: EditGuard
  readonly now: number
  /** When the operator asked for the edit to be taken, ms; undefined when nobody did. */
  readonly signalledAt: number | undefined
}

/**
 * Merges what was written to the list by another hand, where that may be done, and notes in `list` how the file was
 * found. Rejects with the system's error.
 */
export async function takeHandEdit(init: HandEditInit): Promise<ListEdit> {
  const { fs, path, list, guard, signalledAt } = init
  const stat = await statIfExists(fs, path)
  if (signalledAt === undefined && stat !== undefined && list.pending && sameFile(stat, list.pending.file.stat)) {
    return list.pending.edit
  }
  const isKnown = stat !== undefined && list.file !== undefined && sameFile(stat, list.file.stat)
  const whole = stat === undefined || isKnown ? undefined : await readWhole(fs, path)
  const file = whole && { stat: whole.stat, hash: hashOf(whole.bytes) }
  if (whole === undefined || file === undefined || file.hash === list.file?.hash) {
    list.file = file ?? list.file
    list.pending = undefined
    if (signalledAt !== undefined) {
      guard.forget()
    }
    return { outcome: isKnown || file !== undefined ? 'unchanged' : 'missing' }
  }
  const edit = merge(whole.bytes, file.hash, init)
  if (edit.outcome === 'taken') {
    list.file = file
    list.pending = undefined
  } else {
    list.pending = { file, edit }
  }
  return edit
}

/** What an edit that is left alone is about, for a person, behind the name of the file. */
export function pendingText(edit: UnreadableEdit | RefusedEdit): string {
  const fault =
    edit.outcome === 'unreadable'
      ? `can't be read (${edit.reason})`
      : `leaves out ${edit.dropped} of ${edit.of} registrations and was not confirmed`
  return `was edited and ${fault}: correct it, or delete it to have it written anew; it is not overwritten`
}

function merge(
  bytes: Buffer,
  hash: string,
  { list, table, guard, now, signalledAt }: HandEditInit,
): TakenEdit | UnreadableEdit | RefusedEdit {
  const decoded = decode(bytes, now)
  if (decoded instanceof Error) {
    if (signalledAt !== undefined) {
      guard.forget()
    }
    return { outcome: 'unreadable', reason: jsonFault(decoded, bytes.toString()) }
  }
  const live = [...decoded.records.values()].filter((record) => record.expiresAt > now)
  // What a person typed says nothing about proofs.
  const edited = { records: live.map((record) => ({ ...record, provedAt: 0 })), statics: decoded.statics }
  const refused = guard.refusal(hash, lossBy(edited, table.records(), { since: list.listedBefore, now }), signalledAt)
  if (refused !== undefined) {
    return refused
  }
  return {
    outcome: 'taken',
    ...table.merge(edited, list.listedBefore),
    expired: decoded.records.size - live.length,
    useless: nameUseless(bytes, decoded.useless),
  }
}

function decode(bytes: Buffer, now: number) {
  try {
    return decodeList(bytes, now)
  } catch (error) {
    // SyntaxError; RangeError when it is nested deeper than the stack.
    return error instanceof Error ? error : new Error(String(error))
  }
}
