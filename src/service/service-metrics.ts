import type { Metrics } from '@libp2p/interface'
import { CounterFeed } from '../base/counter-feed.ts'
import type { RegistryView } from '../registry/registry-view.ts'
import type { Counters } from './counters.ts'

/** Registers the service's metrics. Returns a function that passes on what the counters rose by; call it at each tick. */
export function serviceMetrics(
  metrics: Pick<Metrics, 'registerMetricGroup' | 'registerCounterGroup'>,
  counters: Readonly<Counters>,
  view: Pick<RegistryView, 'peerCount' | 'size' | 'networkCount' | 'statics'>,
): () => void {
  metrics.registerMetricGroup('bootstrap_peer_table', {
    label: 'entries',
    help: 'What the table holds',
    calculate: () => ({
      peers: view.peerCount,
      registrations: view.size,
      statics: view.statics.length,
      networks: view.networkCount,
    }),
  })
  const requests = metrics.registerCounterGroup('bootstrap_peer_requests_total', {
    label: 'event',
    help: 'Requests that were read, and those of them that were answered with a list or with an error',
  })
  const addresses = metrics.registerCounterGroup('bootstrap_peer_addresses_total', {
    label: 'outcome',
    help: 'Addresses of requests, by what became of them',
  })
  const feeds = [
    new CounterFeed(requests, () => {
      const { requests, answered, errors } = counters
      return { requests, answered, errors }
    }),
    new CounterFeed(addresses, () => {
      const { registered, renewed, refused, removed, pending } = counters
      return { registered, renewed, refused, removed, pending }
    }),
  ]
  return () => {
    for (const feed of feeds) {
      feed.push()
    }
  }
}
