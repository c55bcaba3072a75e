import { setImmediate as turn } from 'node:timers/promises'
import type { Scheduler } from '../../src/client/scheduler.ts'

export interface VirtualScheduler extends Scheduler {
  /** Lets so many ms pass: runs what is due in order, and what it sets off, to its end. */
  advance(ms: number): Promise<void>
}

/** Time that a test moves by hand. */
export function virtualScheduler(start = 1_800_000_000_000): VirtualScheduler {
  let now = start
  const tasks = new Set<{ readonly at: number; readonly run: () => void }>()
  return {
    now: () => now,
    after(ms, run) {
      const task = { at: now + ms, run }
      tasks.add(task)
      return () => tasks.delete(task)
    },
    async advance(ms) {
      const end = now + ms
      await turn()
      for (;;) {
        let next: { readonly at: number; readonly run: () => void } | undefined
        for (const task of tasks) {
          if (task.at <= end && (next === undefined || task.at < next.at)) {
            next = task
          }
        }
        if (next === undefined) {
          break
        }
        tasks.delete(next)
        now = Math.max(now, next.at)
        next.run()
        await turn()
      }
      now = end
      await turn()
    },
  }
}
