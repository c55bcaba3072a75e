// Measures the delay of the event loop, for the summary line.

import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How often the delay of the event loop is sampled, ms. */
const RESOLUTION_MS = 10

/** Returns how late the event loop was since the last call, ms: how long a request waits before anything else. */
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
