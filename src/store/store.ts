import type { Change, RegistrationRecord } from '../registry/registration.ts'
import type { StaticEntry } from '../registry/static-entry.ts'

/**
 * Where the table outlives the process.
 *
 * The promise: once {@link Store.append} has resolved, the next {@link Store.open} on the same place recovers the
 * change, whatever happened in between: kill -9, power cut, full disk, torn file.
 */
export interface Store {
  /**
   * Takes possession and reads what was kept. Once, before anything else. Rejects with {@link StoreLockedError} when
   * another process has it, with {@link StoreUnusableError} when the place is no place for a list, and with the
   * system's own error when it can't be read or written at all.
   */
  open(): Promise<Recovered>

  /**
   * Remembers changes, in the order of the calls. Resolves when they are on disk; rejects with
   * {@link StoreUnavailableError} when they are not, and then none of them was answered for.
   * Calls that wait at the same time share one disk flush.
   */
  append(changes: readonly Change[]): Promise<void>

  /**
   * Writes the whole table anew, so that the changes before it need not be kept. Takes turns with other work: the
   * table may change meanwhile, through {@link append}. Rejects with {@link StoreUnavailableError}; the old state then
   * stands. One at a time.
   */
  compact(table: Table): Promise<void>

  /** Takes in what the operator changed by hand since the last {@link compact}, if anything. */
  merge(table: Table): Promise<void>

  readonly state: StoreState

  /** Lets go. What was appended stays; nothing more is written. Idempotent. */
  close(): Promise<void>
}

/** What the store asks of the table it keeps. */
export interface Table {
  /** Every registration that should survive. May be consumed over many turns of the event loop. */
  records(): Iterable<RegistrationRecord>
  /** The operator's own entries, in the operator's order. */
  statics(): Iterable<StaticEntry>
  /**
   * The operator edited the list by hand: `statics` replaces the static entries, `records` are its other lines, and
   * what was registered before `since` (ms) and is in neither was deleted by the operator's hand.
   */
  merge(edited: Contents, since: number): void
}

/** What a list holds: registrations with their times, and the operator's own entries. */
export interface Contents {
  readonly records: RegistrationRecord[]
  readonly statics: StaticEntry[]
}

export interface Recovered extends Contents {
  /**
   * False when what was read can't be what was written (a hand edit, a flipped bit): nothing that it says about
   * proofs is to be believed.
   */
  readonly trusted: boolean
  /** What the operator should know, in plain words: a torn tail dropped, a file set aside. */
  readonly notices: readonly string[]
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

/** The change is not on disk. The node keeps serving from memory; the caller hears that it was not registered. */
export class StoreUnavailableError extends Error {
  override name = 'StoreUnavailableError'
  readonly code: string

  constructor(code: string, cause: unknown) {
    super(`the disk does not take the change (${code})`, { cause })
    this.code = code
  }
}

/** Another process has the same files. */
export class StoreLockedError extends Error {
  override name = 'StoreLockedError'
}

/** The place is not one that a list can be kept in. The message is for the operator: what it is, and what to do. */
export class StoreUnusableError extends Error {
  override name = 'StoreUnusableError'
}
