// How long work waited for the event loop recently: 99th percentile and maximum, for the status.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** How long pieces of work waited, ms. */
export interface LoopWait {
  readonly p99: number
  readonly max: number
}

/** The waits of the last half minute to minute count. */
const WINDOW_MS = 30_000
/** Ten of these a ms. */
const UNITS_PER_MS = 10
const MOST_MS = 100_000

/** Distribution of recent waits. Memory is bounded, and adding takes 0.1 µs. */
export class RecentWaits {
  #current = histogram()
  #before: RecordableHistogram | undefined
  #since: number

  constructor(now: number) {
    this.#since = now
  }

  add(ms: number, now: number): void {
    this.#turn(now)
    // It takes whole numbers from 1 up.
    this.#current.record(1 + Math.round(Math.min(ms, MOST_MS) * UNITS_PER_MS))
  }

  /** The waits of the last 30 to 60 s; zero when there were none. */
  at(now: number): LoopWait {
    this.#turn(now)
    const all = histogram()
    for (const each of [this.#before, this.#current]) {
      if (each !== undefined && each.count > 0) {
        all.add(each)
      }
    }
    const ms = (units: number) => (all.count === 0 ? 0 : Math.round((units - 1) / UNITS_PER_MS))
    return { p99: ms(all.percentile(99)), max: ms(all.max) }
  }

  #turn(now: number): void {
    const age = now - this.#since
    if (age >= WINDOW_MS) {
      this.#before = age < 2 * WINDOW_MS ? this.#current : undefined
      this.#current = histogram()
      this.#since = now
    }
  }
}

function histogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: 2 * MOST_MS * UNITS_PER_MS, figures: 2 })
}
