import type { Metrics } from '@libp2p/interface'
import { CounterFeed } from '../../base/counter-feed.ts'
import type { GuardCounters } from './guard-counters.ts'

interface Guarded {
  readonly counters: GuardCounters
  readonly table: { readonly halfOpen: number; readonly open: number }
}

/** Registers the guard's metrics. Returns a function that passes on what the counters rose by; call it at each sweep. */
export function guardMetrics(metrics: Pick<Metrics, MetricsUsed>, { counters, table }: Guarded): () => void {
  metrics.registerMetricGroup('bootstrap_peer_connections', {
    label: 'state',
    help: 'Inbound connections by state: half_open until their handshake is done',
    calculate: () => ({ half_open: table.halfOpen, open: table.open }),
  })
  const refused = metrics.registerCounterGroup('bootstrap_peer_connections_refused_total', {
    label: 'reason',
    help: 'Inbound connections that were refused',
  })
  const hungUp = metrics.registerCounterGroup('bootstrap_peer_connections_hung_up_total', {
    label: 'reason',
    help: 'Inbound connections that the guard hung up on',
  })
  const feeds = [new CounterFeed(refused, () => counters.refused), new CounterFeed(hungUp, () => counters.hungUp)]
  return () => {
    for (const feed of feeds) {
      feed.push()
    }
  }
}

type MetricsUsed = 'registerMetricGroup' | 'registerCounterGroup'
