import { Forked } from '../forked.ts'
import { KnownPeers } from '../known-peers.ts'
import type { Measurement, Scale } from '../measure.ts'
import { ServerProcess } from '../server-process.ts'

/** What there is to hand out. */
const KNOWN = 1000
/** The first of them warm up. */
const BATCHES = 10
const BOUND_MB = 20
/** The bound is for so many. */
const BOUND_IDENTITIES = 50_000

/** What a crowd of strangers leaves behind in memory, each with an identity of its own, at a node that knows 1000. */
export function rssAfter({ identities }: Scale): Measurement {
  const name = `RSS that ${identities} joins by ${identities} identities add, after the first tenth`
  return {
    rows: [name],
    async measure() {
      await using list = await KnownPeers.write(KNOWN)
      await using server = await ServerProcess.ours('--file', list.path)
      const batch = identities / BATCHES
      await using strangers = await Forked.start('./strangers.ts', [server.address.toString(), String(batch)])
      const rss: number[] = []
      let answered = 0
      for (let i = 0; i < BATCHES; i++) {
        answered += await strangers.ask<number>('batch')
        rss.push((await server.usage()).rss / 1e6)
      }
      const [first = 0, ...later] = rss
      const collected = (await server.collect()).rss / 1e6
      return [
        {
          name,
          unit: 'MB',
          ours: Math.max(...later) - first,
          ...(identities === BOUND_IDENTITIES ? { bound: BOUND_MB } : {}),
          note: [
            `after each tenth ${rss.map((each) => each.toFixed(0)).join(', ')} MB, once collected ${collected.toFixed(0)}`,
            `${answered} were handed a list`,
            'each asks, and is refused its registration: of one machine 16,384 at most are taken',
          ].join('; '),
        },
      ]
    },
  }
}
