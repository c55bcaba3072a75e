// When to ask one bootstrap for peers again. Holds no timer.

import { type BackOff, backOff, jittered } from '../../base/back-off.ts'
import type { Random } from '../../base/random.ts'

/** After a failure: 1–3 s, then twice as long each time, up to 1–3 minutes, without end. */
export const BACK_OFF: BackOff = { first: 2000, most: 120_000 }
/** Refreshes and renewals are spread out by this part of their interval, either way. */
export const JITTER = 0.2
/** The first pause between two asks of a node that wants more peers, ms. It doubles with each ask, up to the refresh. */
export const FIRST_PAUSE_MS = 500
/**
 * Exchanges with one bootstrap in {@link BUDGET_WINDOW_MS} that everything but refreshes and renewals keeps to. Behind one IP, 300 nodes that start
 * together then stay near the 300 + 20 a second that a bootstrap serves an IP by default.
 */
export const EARLY_BUDGET = 8
export const BUDGET_WINDOW_MS = 60_000
/** The early asks begin anew at most this often, ms, however often a node loses a peer. */
const RESTART_MS = 60_000
/** The longest wait that a bootstrap may impose, ms. */
const MAX_RETRY_AFTER_MS = 15 * 60_000

export interface AskScheduleInit {
  /** How often to ask when nothing is wanted, ms, ± {@link JITTER}. */
  readonly refreshInterval: number
  readonly random: Random
}

/**
 * When to ask one bootstrap again: soon while the node wants more, at the refresh when it does not, later each time
 * while the bootstrap fails. Times are ms of the caller's clock. Synchronous; holds no timer.
 */
export class AskSchedule {
  readonly #refresh: number
  readonly #random: Random
  /** Early asks since the last restart. */
  #step = 0
  #restartedAt = Number.NEGATIVE_INFINITY
  #soonAt = 0
  #refreshAt = 0
  #failures = 0
  /** When the last exchanges began, oldest first; {@link EARLY_BUDGET} of them at most. */
  readonly #exchanges: number[] = []

  constructor({ refreshInterval, random }: AskScheduleInit) {
    this.#refresh = refreshInterval
    this.#random = random
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures
  }

  /** An exchange with the bootstrap begins. */
  exchanged(now: number): void {
    this.#exchanges.push(now)
    if (this.#exchanges.length > EARLY_BUDGET) {
      this.#exchanges.shift()
    }
  }

  /** The bootstrap has answered. */
  answered(now: number): void {
    this.#failures = 0
    this.#step++
    this.#refreshAt = now + jittered(this.#refresh, JITTER, this.#random)
    this.#soonAt = now + this.#pause(this.#step)
  }

  /**
   * The bootstrap did not answer, or refused; `retryAfter` (ms) is what it asked for, and is never shortened but for
   * one beyond a quarter of an hour. Returns the pause, ms.
   */
  failed(now: number, retryAfter = 0): number {
    this.#failures++
    const pause = Math.max(backOff(this.#failures, BACK_OFF, this.#random), Math.min(retryAfter, MAX_RETRY_AFTER_MS))
    this.#soonAt = this.#refreshAt = now + pause
    return pause
  }

  /** The next early ask is due about now, as after a registration; the pauses go on growing from where they are. */
  soon(now: number): void {
    this.#soonAt = Math.min(this.#soonAt, now + this.#pause(1))
  }

  /** The node wants more after having had enough. Its keeper gets the first pause to find a replacement by itself. */
  restart(now: number): void {
    const anew = now - this.#restartedAt >= RESTART_MS
    if (anew) {
      this.#restartedAt = now
      this.#step = 0
    }
    if (anew || this.#soonAt <= now) {
      this.#soonAt = now + this.#pause(1)
    }
  }

  /** When to ask next, ms; `early` while the node wants more, with the number of `exchanges` that the round takes. */
  nextAt({ early, exchanges }: { readonly early: boolean; readonly exchanges: number }): number {
    if (!early || this.#failures > 0) {
      return this.#refreshAt
    }
    return Math.min(this.#refreshAt, Math.max(this.#soonAt, this.affordableAt(exchanges)))
  }

  /** When that number of further exchanges keeps to {@link EARLY_BUDGET}, ms; a time in the past when it does now. */
  affordableAt(exchanges: number): number {
    const oldest = this.#exchanges.at(-(EARLY_BUDGET + 1 - exchanges))
    return oldest === undefined ? Number.NEGATIVE_INFINITY : oldest + BUDGET_WINDOW_MS
  }

  #pause(step: number): number {
    return backOff(step, { first: Math.min(FIRST_PAUSE_MS, this.#refresh), most: this.#refresh }, this.#random)
  }
}
