import { type Clock, steadyClock } from '../base/clock.ts'

/** The time, and how to go on later. Tests pass one that they move by hand. */
export interface Scheduler {
  /** Milliseconds since the epoch. */
  readonly now: Clock
  /** Runs the task once, after `ms`. Returns a function that cancels it. A waiting task keeps no process alive. */
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

/** Returns a signal that aborts after `ms`; `cancel` it once it is of no more use. */
export function deadlineIn(scheduler: Scheduler, ms: number): { readonly signal: AbortSignal; cancel(): void } {
  const controller = new AbortController()
  const cancel = scheduler.after(ms, () => controller.abort())
  return { signal: controller.signal, cancel }
}
