// When snapshots of the table are written, the last one at a stop included.

import type { Logger } from '@libp2p/interface'
import type { Clock } from '../base/clock.ts'
import { type SnapshotSchedule, snapshotSchedule } from '../store/snapshot-schedule.ts'
import { EditPendingError, type Store, type Table } from '../store/store.ts'

export interface SnapshotsInit {
  readonly store: Pick<Store, 'compact'>
  /** All that the store keeps. */
  readonly table: Table
  readonly clock: Clock
  readonly log: Logger
}

/**
 * A last snapshot is written when the one before took no longer than this, ms, and one that is being written gets as long to
 * end. Else the journal has it all.
 */
const LAST_SNAPSHOT_MS = 1000

/** Writes snapshots: some time after a change, and once more at the end. */
export class Snapshots {
  readonly #init: SnapshotsInit
  readonly #schedule: SnapshotSchedule
  #tookMs = 0
  #writing: Promise<unknown> | undefined

  constructor(init: SnapshotsInit) {
    this.#init = init
    this.#schedule = snapshotSchedule({
      compact: () => this.#compact(),
      clock: init.clock,
      onFailure: (err) => this.#failed('the snapshot failed - %e', err),
    })
  }

  get table(): Table {
    return this.#init.table
  }

  /** Something changed that a snapshot does not have yet. */
  readonly changed = (): void => this.#schedule.changed()

  /** See {@link SnapshotSchedule.resume}. */
  resume(): void {
    this.#schedule.resume()
  }

  /** Writes what changed since the last snapshot, where that is quick. Never rejects: the journal has it all. */
  async writeLast(): Promise<void> {
    if (this.#writing !== undefined) {
      await atMost(this.#writing, LAST_SNAPSHOT_MS)
    }
    if (this.#schedule.pending && this.#tookMs <= LAST_SNAPSHOT_MS) {
      await this.#compact().catch((err) => this.#failed('the last snapshot failed, the journal has it all - %e', err))
    }
  }

  async stop(): Promise<void> {
    await this.#schedule.stop()
  }

  async #compact(): Promise<void> {
    const started = performance.now()
    const written = this.#init.store.compact(this.#init.table)
    this.#writing = written.catch(() => {})
    try {
      await written
    } finally {
      this.#writing = undefined
    }
    this.#tookMs = performance.now() - started
  }

  #failed(message: string, err: unknown): void {
    // An edit that waits for the operator was reported when it was found.
    if (!(err instanceof EditPendingError)) {
      this.#init.log.error(message, err)
    }
  }
}

/** Resolves when the promise does, or after `ms`. */
async function atMost(promise: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms)
  await Promise.race([promise, late.promise])
  clearTimeout(timer)
}
