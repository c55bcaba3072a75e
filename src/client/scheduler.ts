import { type Clock, steadyClock } from '../base/clock.ts'

/** Time as the client sees it: what it is, and when to go on. Tests pass one that they move by hand. */
export interface Scheduler {
  /** Milliseconds since the epoch. */
  readonly now: Clock
  /** Runs the task once, after so many ms. Returns how to call it off. A waiting task keeps no process alive. */
  after(ms: number, task: () => void): () => void
}

/** The longest wait a timer of Node can have; longer ones would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export function systemScheduler(): Scheduler {
  return {
    now: steadyClock(),
    after(ms, task) {
      const timer = setTimeout(task, Math.min(ms, MAX_TIMER_MS))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
