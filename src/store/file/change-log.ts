import type { Clock } from '../../base/clock.ts'
import type { Change } from '../../registry/registration.ts'
import { type StoreState, StoreUnavailableError } from '../store.ts'
import { errorCode, type FileSystem } from './file-system.ts'
import { type Cut, createJournal, encodeChange, encodeMark, type Journal, type SnapshotMark } from './journal.ts'
import type { Layout } from './layout.ts'
import type { Lock } from './lock.ts'
import { createOutage } from './outage.ts'

/**
 * All changes in order, in one journal after the other. Changes that wait at the same time share one write and one
 * fdatasync.
 *
 * A journal that failed once is never written to again: after a failed fsync Linux marks the lost pages clean, and the
 * next fsync succeeds (LWN 752063, "fsyncgate"). What the failed write left in it is cut off before a change is refused;
 * where that fails, too, the header of the next journal says how much of the failed one counts.
 */
export interface ChangeLog {
  readonly state: StoreState
  append(changes: readonly Change[]): Promise<void>
  mark(mark: SnapshotMark): Promise<void>
  /** Starts a new journal. All changes appended from now on go to it or to a later one. Returns its generation. */
  rotate(): Promise<number>
  /** The error that append would reject with now; undefined when it may be tried. */
  refusal(): StoreUnavailableError | undefined
  /** Waits for the changes that were appended. Idempotent. */
  close(): Promise<void>
}

export interface ChangeLogInit {
  readonly fs: FileSystem
  readonly layout: Layout
  readonly clock: Clock
  /** No journal has this generation or a later one. */
  readonly generation: number
  /** Another process that takes the files reads only what was written before it did. */
  readonly lock: Pick<Lock, 'verify'>
}

/** A change waits for at most this much to be written before its own flush: some 4,000 changes, a few ms of disk. */
const MAX_BATCH_CHARACTERS = 1 << 20

interface Batch {
  text: string
  readonly done: PromiseWithResolvers<void>
}

/** Makes the first journal. Rejects with the system's error. */
export async function startChangeLog({
  fs,
  layout,
  clock,
  generation: first,
  lock,
}: ChangeLogInit): Promise<ChangeLog> {
  const outage = createOutage(clock)
  let generation = first
  let journal: Journal | undefined = await createJournal(fs, layout.journal(first), layout.directory, first, undefined)
  let cut: Cut | undefined
  let waiting: Batch[] = []
  let lastTurn: Promise<unknown> = Promise.resolve()
  let closed: Promise<void> | undefined

  /** Operations on the journal run one at a time. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(task)
    lastTurn = turn.catch(() => {})
    return turn
  }

  function enqueue(text: string): Promise<void> {
    const refusal = closed === undefined ? outage.refusal() : new StoreUnavailableError('ECLOSED', undefined)
    if (refusal !== undefined) {
      return Promise.reject(refusal)
    }
    let batch = waiting.at(-1)
    if (batch === undefined || batch.text.length + text.length > MAX_BATCH_CHARACTERS) {
      batch = { text: '', done: Promise.withResolvers() }
      waiting.push(batch)
      void inTurn(flush)
    }
    batch.text += text
    return batch.done.promise
  }

  /** Writes the oldest waiting batch. Never rejects: the promises of the batch do. */
  async function flush(): Promise<void> {
    const batch = waiting.shift()
    if (batch === undefined) {
      return
    }
    try {
      const current = journal ?? (await startNext())
      await current.write(batch.text)
      // Not before: a process that takes the lock in between has not read it.
      await lock.verify()
      batch.done.resolve()
    } catch (error) {
      await giveUpJournal(error, [batch, ...waiting])
    }
  }

  async function giveUpJournal(error: unknown, unwritten: readonly Batch[]): Promise<void> {
    const failure = outage.failed(error)
    waiting = []
    const broken = journal
    if (broken !== undefined) {
      cut = { generation: broken.generation, length: broken.length }
      journal = undefined
      // A process that dies before the next journal must not leave whole lines of what is refused now. The files of another
      // process are not touched.
      if (errorCode(error) !== 'ELOCKED') {
        await broken.cutOff().catch(() => {})
      }
    }
    for (const batch of unwritten) {
      batch.done.reject(failure)
    }
    await broken?.close().catch(() => {})
  }

  async function startNext(): Promise<Journal> {
    await lock.verify()
    generation += 1
    const next = await createJournal(fs, layout.journal(generation), layout.directory, generation, cut)
    const previous = journal
    journal = next
    cut = undefined
    outage.over()
    // Everything is on disk already, so a failing close loses nothing.
    await previous?.close().catch(() => {})
    return next
  }

  return {
    get state() {
      return outage.state
    },
    append: (changes) => (changes.length === 0 ? Promise.resolve() : enqueue(changes.map(encodeChange).join(''))),
    mark: (mark) => enqueue(encodeMark(mark)),
    rotate: () =>
      inTurn(async () => {
        try {
          return (await startNext()).generation
        } catch (error) {
          // With a journal that still works, only the rotation failed.
          throw journal === undefined ? outage.failed(error) : error
        }
      }),
    refusal: () => outage.refusal(),
    close: () => {
      closed ??= inTurn(async () => {
        await journal?.close()
        journal = undefined
      })
      return closed
    },
  }
}
