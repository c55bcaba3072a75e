import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How often the loop is asked to be on time, ms. */
const RESOLUTION_MS = 10

/** By how much the event loop was late since this was last asked, ms: what a caller waits before anything else. */
export function loopDelays(): () => { readonly loopP99: number; readonly loopMax: number } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  return () => {
    // It counts from one tick to the next, in ns, the tick's own length included.
    const late = (ns: number) => Math.max(0, Math.round(ns / 1e6 - RESOLUTION_MS))
    const delays = { loopP99: late(histogram.percentile(99)), loopMax: late(histogram.max) }
    histogram.reset()
    return delays
  }
}
