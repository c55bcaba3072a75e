// Finds out whether the operator edited the list, and merges the edit.

import { keyText, type RegistrationRecord } from '../../registry/registration.ts'
import {
  type ListEdit,
  type RefusedEdit,
  StoreUnusableError,
  type Table,
  type TakenEdit,
  type UnreadableEdit,
} from '../store.ts'
import { type EditGuard, isGreat, lossBy } from './edit-guard.ts'
import { type DecodedList, decodeList } from './entry-codec.ts'
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
  /**
   * Registrations from before this (ms) are in it, unless the operator deleted them. What an edit is compared with that
   * does not say which list it is an edit of.
   */
  readonly listedBefore: number
}

export interface HandEditInit {
  readonly fs: FileSystem
  readonly path: string
  readonly list: KnownList
  readonly table: Table
  readonly guard: EditGuard
  /** Writes registrations to the journal. */
  readonly keep: (records: readonly RegistrationRecord[]) => Promise<void>
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
  const edit = await merge(whole.bytes, file.hash, init)
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

async function merge(
  bytes: Buffer,
  hash: string,
  init: HandEditInit,
): Promise<TakenEdit | UnreadableEdit | RefusedEdit> {
  const { list, table, guard, keep, now, signalledAt } = init
  const decoded = decode(bytes, now)
  if (decoded instanceof Error) {
    forgetIfSignalled(init)
    return { outcome: 'unreadable', reason: jsonFault(decoded, bytes.toString()) }
  }
  const { live, renewed } = linesOf(decoded, table, now)
  // Text that an operator typed says nothing about proofs.
  const records = [...live, ...renewed].map((record) => ({ ...record, provedAt: 0 }))
  const edited = { records, statics: decoded.statics }
  const base = editedSince(decoded, now)
  let since = base ?? list.listedBefore
  let loss = lossBy(edited, table.records(), { since, now })
  const refused = guard.refusal(hash, loss, signalledAt)
  if (refused !== undefined) {
    return refused
  }
  // An edit that does not say what it is an edit of deletes nothing, unless the operator confirmed what it leaves out.
  if (base === undefined && !isGreat(loss)) {
    since = Number.NEGATIVE_INFINITY
    loss = lossBy(edited, table.records(), { since, now })
  }
  // The edited list becomes the backup, and does not have them.
  await keep(loss.newer)
  return {
    outcome: 'taken',
    ...table.merge(edited, since),
    expired: decoded.records.size - live.length - renewed.length,
    kept: loss.newer.length,
    useless: nameUseless(bytes, decoded.useless),
  }
}

/**
 * When the list that this one is an edit of was begun, ms: an editor may have held it for hours, while newer ones were
 * written. Undefined where the edit does not say so: none of its lines was written by the store.
 */
export function editedSince({ writtenAt }: DecodedList, now: number): number | undefined {
  return writtenAt !== undefined && writtenAt <= now ? writtenAt : undefined
}

/** The registrations in an edited list: `renewed` have expired by the list, and not by the table. */
function linesOf(decoded: DecodedList, table: Table, now: number) {
  const live = [...decoded.records.values()].filter((record) => record.expiresAt > now)
  const isStale = live.length < decoded.records.size
  const renewed = Iterator.from(isStale ? table.records() : [])
    .filter((known) => known.expiresAt > now)
    .filter((known) => (decoded.records.get(keyText(known))?.expiresAt ?? now + 1) <= now)
  return { live, renewed: [...renewed] }
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
