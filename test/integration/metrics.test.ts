import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Metrics } from '@libp2p/interface'
import { createLibp2p } from 'libp2p'
import { bootstrapService, withHost } from '../../src/index.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { until } from '../support/wait.ts'

type Values = Readonly<Record<string, number>>

/** Keeps what is registered, as a metrics library would; the parts that libp2p itself uses take what comes. */
function keptMetrics() {
  const counters = new Map<string, Record<string, number>>()
  const gauges = new Map<string, () => Values | Promise<Values>>()
  const labels = new Map<string, string>()
  const ignored = { increment() {}, decrement() {}, update() {}, reset() {}, observe() {}, timer: () => () => {} }
  const metrics = new Proxy({} as Metrics, {
    get: (_, name) => {
      if (name === 'registerCounterGroup') {
        return (group: string, { label = '' } = {}) => {
          const values: Record<string, number> = {}
          counters.set(group, values)
          labels.set(group, label)
          const increment = (risen: Values) => {
            for (const [key, rise] of Object.entries(risen)) {
              values[key] = (values[key] ?? 0) + rise
            }
          }
          return { increment, reset() {} }
        }
      }
      if (name === 'registerMetricGroup') {
        return (group: string, { calculate, label = '' }: { calculate?: () => Values; label?: string } = {}) => {
          labels.set(group, label)
          if (calculate !== undefined) {
            gauges.set(group, calculate)
          }
          return ignored
        }
      }
      return name === 'traceFunction' ? (_name: string, fn: unknown) => fn : () => ignored
    },
  })
  return { metrics, counters, gauges, labels }
}

it('where the host has metrics, the figures of the service and the guard are among them', async (t) => {
  const { metrics, counters, gauges, labels } = keptMetrics()
  const node = await createLibp2p(
    withHost({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      metrics: () => metrics,
      services: { bootstrap: bootstrapService() },
    }),
  )
  t.after(() => node.stop())
  const names = ['requests_total', 'addresses_total', 'connections_refused_total', 'connections_hung_up_total']
  const of = (name: string) => counters.get(`bootstrap_peer_${name}`)
  const { guard, bootstrap } = node.services
  assert.deepEqual(of('requests_total'), { requests: 0, answered: 0, errors: 0 }, 'every label is there')
  assert.deepEqual(Object.keys(of('connections_refused_total')!), Object.keys(guard.status.counters.refused))
  assert.deepEqual(Object.keys(of('connections_hung_up_total')!), Object.keys(guard.status.counters.hungUp))
  assert.deepEqual(
    names.map((name) => labels.get(`bootstrap_peer_${name}`)),
    ['event', 'outcome', 'reason', 'reason'],
  )

  const peer = await startPeer()
  t.after(() => peer.stop())
  await ask(peer, node.getMultiaddrs()[0]!, { address: addressOf(peer) })
  await ask(peer, node.getMultiaddrs()[0]!, { address: addressOf(peer) })
  await until(() => of('addresses_total')?.renewed === 1, 'the counters are passed on')
  assert.deepEqual(of('addresses_total'), { registered: 1, renewed: 1, refused: 0, removed: 0, pending: 0 })
  assert.equal(of('requests_total')?.requests, bootstrap.status.counters.requests)
  assert.deepEqual(gauges.get('bootstrap_peer_table')?.(), { peers: 1, registrations: 1, statics: 0, networks: 1 })
  assert.deepEqual(gauges.get('bootstrap_peer_connections')?.(), { half_open: 0, open: 1 })

  guard.beforeStop()
  const late = await startPeer()
  t.after(() => late.stop())
  await assert.rejects(late.dial(node.getMultiaddrs()))
  await node.stop()
  assert.equal(of('connections_refused_total')?.stopping, 1, 'the last ones are passed on at the stop')
})
