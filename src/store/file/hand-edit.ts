// Finds out whether the operator edited the list, and merges the edit.

import {
  type ListEdit,
  type RefusedEdit,
  StoreUnusableError,
  type Table,
  type TakenEdit,
  type UnreadableEdit,
} from '../store.ts'
import { type EditGuard, lossBy } from './edit-guard.ts'
import { decodeList } from './entry-codec.ts'
import { errorCode, type FileSystem, statIfExists } from './file-system.ts'
import { jsonFault } from './json-fault.ts'
import { hashOf, readWhole, type SnapshotFile, sameFile } from './snapshot.ts'
import { nameUseless } from './useless-entries.ts'

/**
 * An edit that is left alone: the file as it was when it was checked, and why. Its hash is empty where it could not be
 * read: then a change of its mode, which changes no time, may be enough.
 */
export interface PendingEdit {
  readonly file: SnapshotFile
  readonly edit: UnreadableEdit | RefusedEdit
}

/** The list as it was last read or written. */
export interface KnownList {
  file: SnapshotFile | undefined
  pending: PendingEdit | undefined
  /** Registrations from before this (ms) are in it, unless the operator deleted them. */
  readonly listedBefore: number
}

export interface HandEditInit {
  readonly fs: FileSystem
  readonly path: string
  readonly list: KnownList
  readonly table: Table
  readonly guard: EditGuard
  readonly now: number
  /** When the operator asked for the edit to be taken, ms; undefined when it was only found. */
  readonly signalledAt: number | undefined
}

/**
 * Merges an edit of the list, where that may be done, and records in `list` how the file was found. Rejects with the
 * system's error.
 */
export async function takeHandEdit(init: HandEditInit): Promise<ListEdit> {
  const { fs, path, list, signalledAt } = init
  const stat = await statIfExists(fs, path)
  const { pending } = list
  if (signalledAt === undefined && stat !== undefined && pending?.file.hash && sameFile(stat, pending.file.stat)) {
    return pending.edit
  }
  const isKnown = stat !== undefined && list.file !== undefined && sameFile(stat, list.file.stat)
  const whole = stat === undefined || isKnown ? undefined : await tryRead(fs, path)
  if (typeof whole === 'string') {
    forgetIfSignalled(init)
    const edit = { outcome: 'unreadable', reason: whole } as const
    list.pending = { file: { stat: stat!, hash: '' }, edit }
    return edit
  }
  const file = whole && { stat: whole.stat, hash: hashOf(whole.bytes) }
  if (whole === undefined || file === undefined || file.hash === list.file?.hash) {
    list.file = file ?? list.file
    list.pending = undefined
    forgetIfSignalled(init)
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

/** Describes an edit that is left alone, for the operator; follows the name of the file. */
export function pendingText(edit: UnreadableEdit | RefusedEdit): string {
  const fault =
    edit.outcome === 'unreadable'
      ? `can't be read (${edit.reason})`
      : `leaves out ${edit.dropped} of ${edit.of} registrations and was not confirmed`
  return `was edited and ${fault}: correct it, or delete it to have it written anew; it is not overwritten`
}

/** The signal was for other content than what the guard may have refused. */
function forgetIfSignalled({ guard, signalledAt }: HandEditInit): void {
  if (signalledAt !== undefined) {
    guard.forget()
  }
}

function merge(bytes: Buffer, hash: string, init: HandEditInit): TakenEdit | UnreadableEdit | RefusedEdit {
  const { list, table, guard, now, signalledAt } = init
  const decoded = decode(bytes, now)
  if (decoded instanceof Error) {
    forgetIfSignalled(init)
    return { outcome: 'unreadable', reason: jsonFault(decoded, bytes.toString()) }
  }
  const live = [...decoded.records.values()].filter((record) => record.expiresAt > now)
  // Text that an operator typed says nothing about proofs.
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

/** The reason, where the operator has to make the file readable: an editor may have saved it as another user's. */
async function tryRead(fs: FileSystem, path: string): Promise<string | Awaited<ReturnType<typeof readWhole>>> {
  try {
    return await readWhole(fs, path)
  } catch (error) {
    if (error instanceof StoreUnusableError) {
      return error.message
    }
    if (['EACCES', 'EPERM'].includes(errorCode(error))) {
      return `this user may not read it (${errorCode(error)})`
    }
    throw error
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
