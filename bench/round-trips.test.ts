import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { identify } from '@libp2p/identify'
import { BootstrapClient, bootstrapDiscovery, type PeerKeeper, peerKeeper } from '../src/client/index.ts'
import { createBootstrapPeer } from '../src/index.ts'
import { type DelayingProxy, delayingProxy } from '../test/support/delaying-proxy.ts'
import { startPeer } from '../test/support/peers.ts'
import { until } from '../test/support/wait.ts'

const ROUND_TRIP_MS = 100
/** A busy machine adds to each of them; the best of so many newcomers is what the network costs. */
const NEWCOMERS = 4

interface Arrival {
  /** Since the node began to look, in round trips. */
  readonly known: number
  readonly connected: number
}

describe('a newcomer with two bootstraps, on a network of 100 ms round-trip time', () => {
  it('knows its first peer within 6 round trips, and is connected to it within 10', async (t) => {
    const { bootstraps, proxies } = await network(t)
    const arrivals: Arrival[] = []
    for (let n = 0; n < NEWCOMERS; n++) {
      arrivals.push(await newcomer(t, bootstraps))
    }
    const [known, connected] = [arrivals.map((each) => each.known), arrivals.map((each) => each.connected)]
    for (const [what, proxy] of Object.entries(proxies)) {
      const last = proxy.connections.at(-1)!
      t.diagnostic(
        `${what}: ${last.map(({ from, sentAt, bytes }) => `${from} at ${sentAt} ms, ${bytes} bytes`).join('; ')}`,
      )
    }
    t.diagnostic(`round trips until a peer is known: ${known.map((each) => each.toFixed(2)).join(', ')}`)
    t.diagnostic(`round trips until it is connected: ${connected.map((each) => each.toFixed(2)).join(', ')}`)
    assert.ok(Math.min(...known) <= 6, `known after ${known}`)
    assert.ok(Math.min(...connected) <= 10, `connected after ${connected}`)
    assert.ok(Math.min(...known) >= 5 && Math.min(...connected) >= 8, 'the proxies delay what they should')
  })
})

/** Two bootstraps and a peer that both list, each of them so far away. */
async function network(t: TestContext) {
  const proxy = async (to: string): Promise<DelayingProxy> => {
    const made = await delayingProxy(portOf(to), ROUND_TRIP_MS)
    t.after(() => made.close())
    return made
  }
  const far = async () => {
    const bootstrap = createBootstrapPeer()
    await bootstrap.start()
    t.after(() => bootstrap.stop())
    const [at] = bootstrap.multiaddrs as [string]
    const through = await proxy(at)
    return { at, through, farAt: at.replace(/tcp\/\d+/, `tcp/${through.port}`) }
  }
  const [one, two] = await Promise.all([far(), far()])
  const peer = await startPeer({ services: { identify: identify() } })
  t.after(() => peer.stop())
  const toPeer = await proxy(String(peer.getMultiaddrs()[0]))
  for (const { at } of [one, two]) {
    const { registrations } = await new BootstrapClient(peer, at).register([`/ip4/127.0.0.1/tcp/${toPeer.port}`])
    assert.equal(registrations[0]!.status, 'listed')
  }
  return { bootstraps: [one.farAt, two.farAt], proxies: { bootstrap: one.through, peer: toPeer } }
}

/** It does not register, so that those who come after it find the one peer only. */
async function newcomer(t: TestContext, bootstraps: readonly string[]): Promise<Arrival> {
  const node = await startPeer({
    start: false,
    peerDiscovery: [bootstrapDiscovery({ bootstraps, register: false })],
    services: { identify: identify(), peers: peerKeeper() },
  })
  t.after(() => node.stop())
  const peers = node.services.peers as PeerKeeper
  let known: number | undefined
  const discovered = Promise.withResolvers<void>()
  node.addEventListener('peer:discovery', ({ detail }) => {
    if (!bootstraps.some((each) => each.endsWith(detail.id.toString()))) {
      known ??= performance.now()
      discovered.resolve()
    }
  })
  await node.start()
  const begun = performance.now()
  await discovered.promise
  await until(() => peers.peers.length > 0, 'it is connected')
  const connected = performance.now()
  return { known: (known! - begun) / ROUND_TRIP_MS, connected: (connected - begun) / ROUND_TRIP_MS }
}

function portOf(address: string): number {
  return Number(/\/tcp\/(\d+)/.exec(address)![1])
}
