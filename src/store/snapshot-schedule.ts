// When `peers.json` is written.

import { doubling } from '../base/back-off.ts'
import type { Clock } from '../base/clock.ts'

export interface SnapshotSchedule {
  /** Something changed since `peers.json` was written. Cheap: call it for each change. */
  changed(): void
  /**
   * The reason why the last snapshot failed is gone: the next one comes as after any change, not when the retry is
   * due.
   */
  resume(): void
  /** Whether something changed since the last snapshot that succeeded began. */
  readonly pending: boolean
  /** Starts no more snapshots; resolves when the current one is done. Idempotent. */
  stop(): Promise<void>
}

export interface SnapshotScheduleInit {
  /** Writes a snapshot. Its rejections go to {@link onFailure}. */
  readonly compact: () => Promise<void>
  readonly clock: Clock
  readonly onFailure: (error: unknown, retryInMs: number) => void
  /** Calls back once after `ms`. Returns a cancel function. Default: setTimeout. */
  readonly setTimer?: (callback: () => void, ms: number) => () => void
}

/** How soon `peers.json` follows a change, ms. */
const DELAY_MS = 2000
/** Snapshots take 5 % of a core at most: from the start of one to the start of the next, 20 times its duration. */
const PACE = 20
const RETRY = { first: 1000, most: 60_000 }

/** When to write a snapshot. One at a time; does nothing until something changed. */
export function snapshotSchedule({
  compact,
  clock,
  onFailure,
  setTimer = startTimeout,
}: SnapshotScheduleInit): SnapshotSchedule {
  let pending = false
  let stopped = false
  let cancelTimer: (() => void) | undefined
  let running: Promise<void> | undefined
  let notBefore = Number.NEGATIVE_INFINITY
  let pacedUntil = Number.NEGATIVE_INFINITY
  let retrying = false
  let failures = 0

  function startTimer(): void {
    if (pending && !stopped && cancelTimer === undefined && running === undefined) {
      const wait = notBefore - clock()
      cancelTimer = setTimer(onTimer, retrying ? wait : Math.max(wait, DELAY_MS))
    }
  }

  function onTimer(): void {
    cancelTimer = undefined
    running = run().finally(() => {
      running = undefined
      startTimer()
    })
  }

  async function run(): Promise<void> {
    const started = clock()
    pending = false
    try {
      await compact()
      retrying = false
      failures = 0
      pacedUntil = started + PACE * (clock() - started)
      notBefore = pacedUntil
    } catch (error) {
      pending = true
      retrying = true
      pacedUntil = started + PACE * (clock() - started)
      notBefore = Math.max(clock() + doubling(++failures, RETRY), pacedUntil)
      onFailure(error, notBefore - clock())
    }
  }

  return {
    changed() {
      pending = true
      startTimer()
    },
    resume() {
      if (retrying) {
        retrying = false
        failures = 0
        notBefore = pacedUntil
        cancelTimer?.()
        cancelTimer = undefined
        startTimer()
      }
    },
    get pending() {
      return pending
    },
    async stop() {
      stopped = true
      cancelTimer?.()
      cancelTimer = undefined
      await running
    },
  }
}

function startTimeout(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}
