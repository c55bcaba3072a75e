import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { type ConnectionGater, KEEP_ALIVE, type PeerId, serviceDependencies } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { pEvent } from 'p-event'
import { BootstrapClient, RendezvousClient } from '../../src/client/index.ts'
import { bothDeny } from '../../src/host/both-deny.ts'
import { bootstrapService, type HostInit, type OwnOptions, withHost } from '../../src/index.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { until } from '../support/wait.ts'

const LISTEN = { listen: ['/ip4/127.0.0.1/tcp/0'] }
const PEER = peerIdFromString('12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK')

/** A libp2p node with services of its own, and the bootstrap beside them. */
async function chainNode(t: TestContext, own: Omit<OwnOptions, 'services'> = {}, init: HostInit = {}) {
  const node = await createLibp2p(
    withHost(
      {
        ...own,
        addresses: LISTEN,
        services: { identify: identify(), blocks: gossipsub(), bootstrap: bootstrapService() },
      },
      init,
    ),
  )
  t.after(() => node.stop())
  return node
}

describe('a libp2p node with services of its own, guarded', () => {
  it('that serves a bootstrap can ask another one', async (t) => {
    const [node, other] = [await chainNode(t), await chainNode(t)]
    const at = String(other.getMultiaddrs()[0])
    assert.deepEqual((await new RendezvousClient(node, at).discover('chain')).peers, [])
    assert.deepEqual((await new BootstrapClient(node, at).discover()).peers, [])
  })

  it('lists a peer, and counts its connection', async (t) => {
    const node = await chainNode(t)
    const peer = await startPeer()
    t.after(() => peer.stop())
    const address = addressOf(peer)
    const [target] = node.getMultiaddrs()
    assert.deepEqual(await ask(peer, target!, { address }), [{ address: `${address}/p2p/${peer.peerId}` }])
    assert.equal(node.services.bootstrap.status.guard?.open, 1)
    assert.equal(node.services.guard.status.open, 1)
    assert.ok(node.getProtocols().includes('/ipfs/ping/1.0.0'), 'ping is there unasked')
  })

  it('passes on what its gossipsub hears, both ways', async (t) => {
    const node = await chainNode(t)
    const peer = await startPeer({ services: { identify: identify(), ping: ping(), blocks: gossipsub() } })
    t.after(() => peer.stop())
    const blocks = (peer.services as unknown as { blocks: GossipSub }).blocks
    for (const each of [node.services.blocks, blocks]) {
      each.subscribe('blocks')
    }
    await peer.dial(node.getMultiaddrs())
    const heard = async (from: GossipSub, to: GossipSub, text: string) => {
      const message = pEvent<'message', CustomEvent<{ data: Uint8Array }>>(to, 'message', { timeout: 10_000 })
      await until(() => from.getSubscribers('blocks').length === 1, 'it knows the subscriber')
      await from.publish('blocks', Buffer.from(text))
      assert.equal(Buffer.from((await message).detail.data).toString(), text)
    }
    await heard(blocks, node.services.blocks, 'from the peer')
    await heard(node.services.blocks, blocks, 'from the node')
  })

  it('reconnects to the peers that its services want to keep', async (t) => {
    const node = await chainNode(t)
    const peer = await startPeer()
    t.after(() => peer.stop())
    await node.dial(peer.getMultiaddrs())
    const multiaddrs = peer.getMultiaddrs()
    await node.peerStore.merge(peer.peerId, { multiaddrs, tags: { [KEEP_ALIVE]: { value: 1 } } })
    const isBack = pEvent<'peer:connect', CustomEvent<PeerId>>(node, 'peer:connect', { timeout: 10_000 })
    await until(() => peer.getConnections(node.peerId).length === 1, 'the peer has the connection too')
    await peer.hangUp(node.peerId)
    assert.ok((await isBack).detail.equals(peer.peerId))
  })

  it('is one: a second one with the same options would share its guard', async (t) => {
    const options = withHost()
    const node = await createLibp2p(options)
    t.after(() => node.stop())
    await node.stop()
    await node.start()
    await assert.rejects(createLibp2p(options), /those of another node already; call withHost for each node/)
  })

  it('has what a service that depends on the bootstrap and its guard asks for', async (t) => {
    const needs = (...capabilities: string[]) => ({ [serviceDependencies]: capabilities })
    const mine = () => needs('bootstrap-peer', 'bootstrap-peer/guard')
    const services = { mine, bootstrap: bootstrapService() }
    const node = await createLibp2p(withHost({ addresses: LISTEN, services }))
    t.after(() => node.stop())
    const lacking = createLibp2p({ services: { mine: () => needs('bootstrap-peer') } })
    await assert.rejects(lacking, { name: 'UnmetServiceDependenciesError' })
  })

  it('asks its own gater too, after the guard', async (t) => {
    class OwnGater implements ConnectionGater {
      #seen = 0
      denyInboundConnection() {
        return ++this.#seen > 1
      }
      get seen() {
        return this.#seen
      }
    }
    const own = new OwnGater()
    const node = await chainNode(t, { connectionGater: own })
    const [target] = node.getMultiaddrs()
    for (const isAdmitted of [true, false]) {
      const peer = await startPeer()
      t.after(() => peer.stop())
      const dialled = peer.dial(target!)
      await (isAdmitted ? dialled : assert.rejects(dialled))
    }
    assert.equal(own.seen, 2)
    await until(
      () => node.services.guard.status.halfOpen === 0,
      'the guard has no place left for what the gater denied',
    )
    assert.equal(node.services.guard.status.open, 1)
    node.services.guard.beforeStop()
    const late = await startPeer()
    t.after(() => late.stop())
    await assert.rejects(late.dial(target!))
    assert.equal(own.seen, 2, 'what the guard refuses is not looked up')
  })
})

describe('withHost', () => {
  it('keeps the options beside its own, and lets them win', () => {
    const before: string[] = []
    const own = { addresses: LISTEN, start: false, connectionMonitor: { pingInterval: 60_000 } }
    const merged = withHost({
      ...own,
      connectionManager: { maxParallelDials: 99, dialTimeout: undefined as never },
      peerStore: { maxPeerAge: 1 },
      services: { ping: () => before },
    })
    const plain = withHost()
    assert.partialDeepStrictEqual(merged, own)
    assert.deepEqual(merged.connectionManager, { ...plain.connectionManager, maxParallelDials: 99 })
    assert.deepEqual(merged.peerStore, { ...plain.peerStore, maxPeerAge: 1 })
    assert.deepEqual(Object.keys(merged.services!).sort(), ['guard', 'identify', 'ping'])
    assert.equal(merged.services!.ping({} as never), before)
    assert.equal(withHost({}, { maxConnections: 9 }).connectionManager?.maxConnections, 9)
  })

  const refused: ReadonlyArray<readonly [Libp2pOptions, RegExp]> = [
    [
      { transports: [tcp()] },
      /withHost: transports cannot be yours; the guard limits connections of TCP, Noise and yamux/,
    ],
    [{ streamMuxers: [] }, /streamMuxers cannot be yours/],
    [{ connectionEncrypters: [] }, /connectionEncrypters cannot be yours/],
    [{ connectionProtector: () => ({}) as never }, /connectionProtector cannot be yours.*dial back/],
    [
      { connectionManager: { maxConnections: 9 } },
      /connectionManager\.maxConnections has no effect.*withHost\(options, \{ max/,
    ],
    [{ connectionManager: { allow: [] } }, /connectionManager\.allow has no effect/],
    [
      { services: { guard: () => ({}) } },
      /services\.guard is the name of its own guard; give your service another name/,
    ],
  ]
  for (const [options, message] of refused) {
    it(`refuses ${Object.keys(options)[0]}: ${message.source.slice(0, 40)}`, () => {
      assert.throws(() => withHost(options), { name: 'TypeError', message })
    })
  }

  it('takes no options of libp2p twice', () => {
    assert.throws(() => withHost(withHost()), /transports cannot be yours/)
  })
})

describe('two gaters', () => {
  const address = multiaddr('/ip4/127.0.0.1/tcp/1')

  it('deny what either denies, at once or later', async () => {
    for (const [first, second, denied] of [
      [false, false, false],
      [true, false, true],
      [false, true, true],
    ] as const) {
      const [one, other] = [first, second].map((is) => ({ denyDialPeer: () => is }))
      assert.equal(bothDeny(one!, other!).denyDialPeer?.(PEER), denied)
      assert.equal(await bothDeny({ denyDialPeer: async () => first }, other!).denyDialPeer?.(PEER), denied)
      assert.equal(bothDeny({}, other!).denyDialPeer?.(PEER), second)
    }
    assert.equal(bothDeny({}, {}).denyDialPeer, undefined)
  })

  it('keep an address of a peer that both keep', async () => {
    const keep = { filterMultiaddrForPeer: () => true }
    const drop = { filterMultiaddrForPeer: async () => false }
    assert.equal(await bothDeny(keep, keep).filterMultiaddrForPeer?.(PEER, address), true)
    assert.equal(await bothDeny(keep, drop).filterMultiaddrForPeer?.(PEER, address), false)
    assert.equal(await bothDeny(drop, {}).filterMultiaddrForPeer?.(PEER, address), false)
    assert.equal(bothDeny({}, {}).filterMultiaddrForPeer, undefined)
  })
})
