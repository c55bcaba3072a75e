import { readFileSync } from 'node:fs'

/**
 * A clock (ms) for promises about time: it stands still while the main thread of a process was ready to run and another
 * process had the core. Of several processes the one that waited longest counts. Where the system does not say (Linux
 * does), it is the plain monotonic clock.
 */
export function machineTime(pids: readonly number[] = [process.pid]): () => number {
  return () => performance.now() - Math.max(...pids.map(waitedForCore))
}

/** How long the main thread of a process has waited for a core since it began, ms. */
function waitedForCore(pid: number): number {
  try {
    // Time on a core, time on the queue for one (ns), and how often it got one.
    const [, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')
    return Number(waited) / 1e6
  } catch {
    return 0
  }
}
