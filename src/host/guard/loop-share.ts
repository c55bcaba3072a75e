/** How long one turn of the event loop may serve input of sockets, ms. Then timers and the rest run. */
export const TURN_MS = 10
/** How many bytes may wait for their turn. Beyond, turns get longer, since memory is scarcer then. */
export const MAX_WAITING_BYTES = 16 * 1024 * 1024

/**
 * Serves the input of sockets a few milliseconds at a time, in order of arrival.
 *
 * Node reads every socket that is ready in one turn, and runs what follows from each read to its end before the next:
 * 500 long answers requested at once held the loop for 4 s, and with it the timers that should have stopped them.
 */
export class LoopShare {
  readonly #clock: () => number
  readonly #waiting: Array<{ readonly bytes: number; readonly serve: () => void }> = []
  #next = 0
  #waitingBytes = 0
  #turnSince: number | undefined

  /** The clock is in ms. */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Serves it now, or in a later turn when this turn took long enough already. */
  take(bytes: number, serve: () => void): void {
    if (this.#next === this.#waiting.length && this.#hasTime()) {
      serve()
      return
    }
    if (this.#waiting.length === 0) {
      setImmediate(this.#serveSome)
    }
    this.#waiting.push({ bytes, serve })
    this.#waitingBytes += bytes
    while (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#serveNext()
    }
  }

  /** Resolves when there is time for another piece of work: now, or in a later turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.take(0, resolve))
  }

  #hasTime(): boolean {
    const now = this.#clock()
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
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0
      this.#next = 0
      return
    }
    if (this.#hasTime()) {
      this.#serveNext()
      // A tick that a microtask schedules runs when no microtask is left.
      queueMicrotask(this.#serveNextTick)
    } else {
      setImmediate(this.#serveSome)
    }
  }

  readonly #serveNextTick = (): void => process.nextTick(this.#serveSome)

  #serveNext(): void {
    const { bytes, serve } = this.#waiting[this.#next]!
    this.#waiting[this.#next] = SERVED
    this.#next++
    this.#waitingBytes -= bytes
    serve()
  }
}

const SERVED = { bytes: 0, serve: () => {} }
