import { KnownPeers } from '../known-peers.ts'
import type { Measurement } from '../measure.ts'
import { ServerProcess } from '../server-process.ts'

/** What a list of so many takes: memory, once all is settled and collected, and time to start with. */
export function sizeOf(count: number): Measurement {
  const heap = `heap a known peer, ${count}`
  const start = `start with ${count}`
  return {
    rows: [heap, start],
    async measure() {
      await using none = await KnownPeers.write(0)
      await using empty = await ServerProcess.ours('--file', none.path)
      await using list = await KnownPeers.write(count)
      await using server = await ServerProcess.ours('--file', list.path)
      await Promise.all([empty.settle(), server.settle()])
      const [without, withList] = [await empty.collect(), await server.collect()]
      return [
        { name: heap, unit: 'bytes', ours: (withList.heap - without.heap) / count, bound: 700 },
        { name: start, unit: 'ms', ours: server.startMs, ...(count === 100_000 ? { bound: 2000 } : {}) },
      ]
    },
  }
}
