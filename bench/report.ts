import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What a measured process has used since it started. Bytes, microseconds of CPU, milliseconds of delay. */
export interface Usage {
  readonly cpu: number
  readonly rss: number
  readonly heap: number
  /** The longest the event loop stood still since the last report. */
  readonly stall: number
}

/** A measured server tells the process that forked it where it listens, and then, whenever asked, what it has used. */
export function reportToParent(address: string, startMs = 0): void {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  process.on('message', (message) => {
    if (message === 'exit') {
      process.exit(0)
    }
    if (message === 'collect') {
      globalThis.gc?.()
    }
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed } = process.memoryUsage()
    const usage: Usage = { cpu: user + system, rss, heap: heapUsed, stall: delay.max / 1e6 }
    delay.reset()
    process.send?.(usage)
  })
  process.on('disconnect', () => process.exit(0))
  process.send?.({ address, startMs })
}
