import type { Change, RegistrationRecord, StaticEntry } from '../registry/registration.ts'

/**
 * Persists the table beyond the process.
 *
 * The promise: once {@link Store.append} has resolved, the next {@link Store.open} on the same place recovers the
 * change, whatever happened in between: kill -9, power cut, full disk, torn file.
 */
export interface Store {
  /**
   * Takes the lock and reads what was stored. Call it once, before anything else. Rejects with {@link
   * StoreLockedError} when another process has the place, with {@link StoreUnusableError} when it can never hold a
   * list, and with the system's own error when it can't be read or written at all.
   */
  open(): Promise<Recovered>

  /**
   * Stores changes, in the order of the calls. Resolves when they are on disk; rejects with {@link
   * StoreUnavailableError} when they are not: then none of them may be answered as stored. Calls that wait at the same
   * time share one disk flush.
   */
  append(changes: readonly Change[]): Promise<void>

  /**
   * Writes the whole table anew, so that earlier changes need not be kept. It yields to other work: the table may
   * change meanwhile, through {@link append}. Rejects with {@link StoreUnavailableError}; the old state then stands.
   * One at a time.
   */
  compact(table: Table): Promise<void>

  readonly state: StoreState

  /** Releases the place. Appended changes stay, and nothing more is written. Idempotent. */
  close(): Promise<void>
}

/** A store whose list the operator can edit by hand. */
export interface EditableStore extends Store {
  /**
   * Merges what the operator changed by hand since the last {@link compact}, if anything, and returns the result. Call
   * it when the operator asks for it: a second call confirms an edit that the first refused.
   */
  merge(table: Table): Promise<ListEdit>
}

export function isEditable(store: Store): store is EditableStore {
  return 'merge' in store && typeof store.merge === 'function'
}

/** What the store needs of the table. */
export interface Table {
  /** Every registration that should survive. May be consumed over many turns of the event loop. */
  records(): Iterable<RegistrationRecord>
  /** The operator's own entries, in the operator's order. */
  statics(): Iterable<StaticEntry>
  /**
   * The operator edited the list by hand: `statics` replaces the static entries, `records` are its other lines. A
   * registration from before `since` (ms) that is in neither was deleted by the operator; a newer one of the same peer was
   * not.
   */
  merge(edited: Contents, since: number): Merged
}

/** How many entries an edit added and removed: registrations, and the operator's own. */
export interface Merged {
  readonly added: number
  readonly removed: number
  /** Entries that the rules of the node do not let be served. */
  readonly unserved?: UnservedEntries
}

export interface UnservedEntries {
  readonly count: number
  /** The first ten, each with the reason, in words. */
  readonly named: readonly string[]
}

/** The result of the operator's edit of the list. */
export type ListEdit = UneditedList | TakenEdit | UnreadableEdit | RefusedEdit

/** It is as it was last read or written, or does not exist: then the next change writes it again. */
export interface UneditedList {
  readonly outcome: 'unchanged' | 'missing'
}

/** It was merged. */
export interface TakenEdit extends Merged {
  readonly outcome: 'taken'
  /** Expired registrations in it; they are not taken. */
  readonly expired: number
  /** Registrations that it leaves out and that stay: they came after the list that it is an edit of was written. */
  readonly kept: number
  readonly useless: UselessEntries
}

/** It is not a list, or cannot be read. The file and the table stay as they are, and no snapshot is written until it is a list or is gone. */
export interface UnreadableEdit {
  readonly outcome: 'unreadable'
  readonly reason: string
}

/**
 * It leaves out more than half of the registrations, where there are at least 20: that may be a mistake. Nothing of it
 * is taken, and it is left as it is, as an {@link UnreadableEdit} is, until it is confirmed or changed.
 */
export interface RefusedEdit {
  readonly outcome: 'refused'
  /** How many registrations it leaves out. */
  readonly dropped: number
  /** How many registrations there are. */
  readonly of: number
  /**
   * {@link Store.merge} takes it when it is called again with the same content at least this many ms from now, and
   * within a minute of the first call. Undefined before the first call: the edit was found at a start or a snapshot.
   */
  readonly confirmIn: number | undefined
}

/** Entries that cannot be used. */
export interface UselessEntries {
  readonly count: number
  /** The first ten. */
  readonly named: readonly UselessEntry[]
}

export interface UselessEntry {
  /** The line where it begins in the file, from 1. */
  readonly line: number
  readonly reason: string
}

/** The contents of a list: registrations with their times, and the operator's own entries. */
export interface Contents {
  readonly records: RegistrationRecord[]
  readonly statics: StaticEntry[]
}

export interface Recovered extends Contents {
  /**
   * False when the contents can't be what was written (a hand edit, a flipped bit): its proofs are not to be trusted.
   */
  readonly trusted: boolean
  /** Warnings for the operator, in plain words: a torn tail dropped, a file set aside. */
  readonly warnings: readonly string[]
}

export type StoreState =
  | { readonly status: 'ok' }
  | {
      readonly status: 'failing'
      /** The system's error code, such as `ENOSPC`. */
      readonly code: string
      /** When it began, and when the next try is due, in ms of the store's clock. */
      readonly since: number
      readonly retryAt: number
    }

/** The change is not on disk. The node keeps serving from memory, and refuses the registration. */
export class StoreUnavailableError extends Error {
  override name = 'StoreUnavailableError'
  readonly code: string

  constructor(code: string, cause: unknown) {
    super(`cannot write the change to disk (${code})`, { cause })
    this.code = code
  }
}

/** No snapshot can be written: the list was edited by hand, and is not to be overwritten. Changes are still stored. */
export class EditPendingError extends StoreUnavailableError {
  override name = 'EditPendingError'
  readonly edit: UnreadableEdit | RefusedEdit

  constructor(edit: UnreadableEdit | RefusedEdit, message: string) {
    super('EDIT', new Error(message))
    this.edit = edit
  }
}

/** Another process has the same files. */
export class StoreLockedError extends Error {
  override name = 'StoreLockedError'
}

/** The place cannot hold a list. The message tells the operator what it is and what to do. */
export class StoreUnusableError extends Error {
  override name = 'StoreUnusableError'
}
