// Shares the time of the event loop fairly among networks, a few ms at a time.

import { FairShares } from '../../base/fair-shares.ts'
import { type LoopWait, RecentWaits } from './recent-waits.ts'

/** How long one turn of the event loop may serve input of sockets, ms. Then timers and the rest run. */
export const TURN_MS = 10
/** How many bytes may wait for their turn. Beyond, turns get longer, since memory is scarcer then. */
export const MAX_WAITING_BYTES = 16 * 1024 * 1024

interface Piece {
  readonly bytes: number
  readonly since: number
  readonly serve: () => void
}

/**
 * Serves the input of sockets a few milliseconds at a time. Networks take turns, in each the networks inside, and in one
 * address the pieces are served in order of arrival: however much one network sends, another one waits for one piece
 * of it at a time.
 *
 * Node reads every socket that is ready in one turn, and runs what follows from each read to its end before the next:
 * 500 long answers requested at once held the loop for 4 s, and with it the timers that should have stopped them.
 */
export class LoopShare {
  readonly #clock: () => number
  readonly #waiting = new FairShares<Piece>()
  readonly #waits: RecentWaits
  #waitingBytes = 0
  #isServing = false
  #turnSince: number | undefined

  /** The clock is in ms. */
  constructor(clock: () => number) {
    this.#clock = clock
    this.#waits = new RecentWaits(clock())
  }

  /** How long pieces waited lately. */
  get waits(): LoopWait {
    return this.#waits.at(this.#clock())
  }

  /**
   * Serves it now, or in a later turn when this turn took long enough already.
   *
   * @param networks of who sent it, widest first: see `networksOf`.
   */
  take(networks: readonly string[], bytes: number, serve: () => void): void {
    const now = this.#clock()
    if (this.#waiting.size === 0 && this.#hasTime(now)) {
      this.#waits.add(0, now)
      serve()
      return
    }
    if (!this.#isServing) {
      this.#isServing = true
      setImmediate(this.#serveSome)
    }
    this.#waiting.add(networks, { bytes, since: now, serve })
    this.#waitingBytes += bytes
    while (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#serveNext(now)
    }
  }

  /** Resolves when there is time for another piece of work: now, or in a later turn. */
  turn(networks: readonly string[]): Promise<void> {
    return new Promise((resolve) => this.take(networks, 0, resolve))
  }

  #hasTime(now: number): boolean {
    if (this.#turnSince === undefined) {
      this.#turnSince = now
      setImmediate(this.#endTurn)
    }
    return now - this.#turnSince < TURN_MS
  }

  readonly #endTurn = (): void => {
    this.#turnSince = undefined
  }

  /**
   * One after another until the time is over. Everything that follows from one, promises included, ends before the
   * next.
   */
  readonly #serveSome = (): void => {
    if (this.#waiting.size === 0) {
      this.#isServing = false
      return
    }
    const now = this.#clock()
    if (this.#hasTime(now)) {
      this.#serveNext(now)
      // A tick that a microtask schedules runs when no microtask is left.
      queueMicrotask(this.#serveNextTick)
    } else {
      setImmediate(this.#serveSome)
    }
  }

  readonly #serveNextTick = (): void => process.nextTick(this.#serveSome)

  #serveNext(now: number): void {
    const { bytes, since, serve } = this.#waiting.next()!
    this.#waitingBytes -= bytes
    this.#waits.add(now - since, now)
    serve()
  }
}
