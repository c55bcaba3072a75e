import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import type { PeerKeeperInit } from '../../../src/client/keeper/keeper-init.ts'
import { SETTLED_MS } from '../../../src/client/keeper/keeper-plan.ts'
import { type PeerKeeper, peerKeeper } from '../../../src/client/keeper/peer-keeper.ts'
import { linkDiscovery } from '../../../src/client/keeper-link.ts'
import { sourceTags } from '../../../src/client/source-tags.ts'
import { addressOf, startPeer } from '../../support/peers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { virtualTime } from '../../support/virtual-time.ts'
import { until } from '../../support/wait.ts'

type Keeping = Libp2p<{ peers: PeerKeeper }>

describe('peerKeeper', () => {
  let stops: Array<() => Promise<unknown>>

  beforeEach(() => {
    stops = []
  })

  afterEach(async () => {
    await Promise.all(stops.map((each) => each()))
  })

  async function plainPeers(count: number): Promise<Libp2p[]> {
    const peers = await Promise.all(Array.from({ length: count }, () => startPeer()))
    stops.push(...peers.map((peer) => async () => await peer.stop()))
    return peers
  }

  async function keeperOf(init: PeerKeeperInit): Promise<{ node: Keeping; keeper: PeerKeeper }> {
    const node = (await startPeer({
      services: { peers: peerKeeper(init) },
      connectionMonitor: { enabled: false },
    })) as unknown as Keeping
    stops.push(async () => await node.stop())
    return { node, keeper: node.services.peers }
  }

  /** As bootstrapDiscovery does. */
  async function name(node: Keeping, peer: Libp2p, sources = ['a', 'b'], addresses = [addressOf(peer)]): Promise<void> {
    const { events } = componentsOf(node)
    const named = namedTo.get(events) ?? new Map<string, readonly string[]>()
    namedTo.set(events, named.set(peer.peerId.toString(), addresses))
    linkDiscovery(events, { addressesOf: (id) => named.get(id), hasOrigin: (origin) => origin !== 'gone' })
    const multiaddrs = addresses.map((each) => multiaddr(each))
    await node.peerStore.merge(peer.peerId, { multiaddrs, tags: sourceTags(sources, 60_000) })
  }

  const namedTo = new WeakMap<object, Map<string, readonly string[]>>()
  const componentsOf = (node: Keeping) =>
    (node as unknown as { components: { events: object; connectionManager: { openConnection: unknown } } }).components

  const held = (keeper: PeerKeeper) => keeper.peers.map(({ id }) => id).sort()

  it('connects to those that were named, up to its target', async () => {
    const { node, keeper } = await keeperOf({ target: 3 })
    const peers = await plainPeers(5)
    await Promise.all(peers.map((peer) => name(node, peer)))
    await until(() => keeper.peers.length === 3, 'three are connected')
    assert.equal(node.getConnections().length, 3)
  })

  it('leaves those alone that no bootstrap named', async () => {
    const { node, keeper } = await keeperOf({ target: 3 })
    const [named, stranger] = (await plainPeers(2)) as [Libp2p, Libp2p]
    await stranger.dial(node.getMultiaddrs())
    await name(node, named)
    await until(() => keeper.peers.length === 1, 'one is held')
    assert.deepEqual(held(keeper), [named.peerId.toString()])
  })

  it('replaces the dropped', async () => {
    const { node, keeper } = await keeperOf({ target: 2 })
    const peers = await plainPeers(4)
    await Promise.all(peers.map((peer) => name(node, peer)))
    await until(() => keeper.peers.length === 2, 'two are connected')
    const before = held(keeper)
    await Promise.all(peers.filter(({ peerId }) => before.includes(peerId.toString())).map((peer) => peer.stop()))
    await until(() => keeper.peers.length === 2 && held(keeper).every((id) => !before.includes(id)), 'two others are')
  })

  it('dials up to its target beside those that connected to it, and dials none of these', async () => {
    const { node, keeper } = await keeperOf({ target: 2 })
    const [planted, honest] = [await plainPeers(4), await plainPeers(3)]
    for (const each of planted) {
      await each.dial(node.getMultiaddrs())
    }
    await until(() => node.getConnections().length === planted.length, 'they are connected')
    await Promise.all([...planted, ...honest].map((peer) => name(node, peer)))
    const outbound = () => keeper.peers.filter(({ direction }) => direction === 'outbound').map(({ id }) => id)
    await until(() => outbound().length === 2, 'two are dialled')
    assert.ok(outbound().every((id) => honest.some(({ peerId }) => peerId.toString() === id)))
    assert.equal(keeper.peers.length, 6)
    assert.equal(node.getConnections().length, 6)
  })

  it('fills its places though peers of an origin that is configured no more are connected', async () => {
    const time = virtualTime()
    const { node, keeper } = await keeperOf({ target: 4, scheduler: time })
    const [old, ...peers] = (await plainPeers(5)) as [Libp2p, ...Libp2p[]]
    await name(node, old, ['gone'])
    const held = (count: number) => async () => {
      await time.advance(SETTLED_MS)
      return keeper.peers.length === count
    }
    await until(held(1), 'it is connected')
    await Promise.all(peers.map((peer) => name(node, peer, ['a'])))
    await until(held(4), 'three more are')
    assert.ok(keeper.isVoice('a') && !keeper.isVoice('gone'))
  })

  it('dials another one when a peer hangs up on its connection and keeps its own', async () => {
    const { node, keeper } = await keeperOf({ target: 1 })
    const [both, other] = (await plainPeers(2)) as [Libp2p, Libp2p]
    await name(node, both)
    await until(() => keeper.peers.length === 1, 'it is dialled')
    await both.dial(node.getMultiaddrs(), { force: true })
    await until(() => node.getConnections().length === 2, 'it has dialled back')
    await name(node, other)
    await node
      .getConnections()
      .find(({ direction }) => direction === 'outbound')!
      .close()
    await until(() => keeper.peers.length === 2, 'the other is dialled')
    assert.deepEqual(
      new Map(keeper.peers.map(({ id, direction }) => [id, direction])),
      new Map([
        [both.peerId.toString(), 'inbound'],
        [other.peerId.toString(), 'outbound'],
      ]),
    )
  })

  it('dials a peer where bootstraps name it, and never where the peer itself says that it is', async () => {
    const { node, keeper } = await keeperOf({ target: 1, random: () => 0 })
    const [peer] = (await plainPeers(1)) as [Libp2p]
    const at = addressOf(peer)
    let knocks = 0
    const victim = createServer((socket) => {
      knocks++
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(victim, 'listening')
    stops.push(async () => victim.close())
    const { port } = victim.address() as AddressInfo
    await name(node, peer)
    await until(() => keeper.peers.length === 1, 'it is connected')
    // As identify does with what the peer announces.
    await node.peerStore.patch(peer.peerId, { multiaddrs: [multiaddr(`/ip4/127.0.0.1/tcp/${port}`)] })
    await peer.stop()
    await until(() => keeper.peers.length === 0, 'it is gone')
    const dialled: string[] = []
    const { connectionManager } = componentsOf(node)
    const open = connectionManager.openConnection as (...args: unknown[]) => Promise<unknown>
    connectionManager.openConnection = async (...args: unknown[]) => {
      dialled.push(String(args[0]))
      return await open.apply(connectionManager, args)
    }
    await until(() => dialled.length > 0, 'it is dialled again')
    assert.equal(knocks, 0)
    assert.ok(
      dialled.every((each) => each.startsWith(at)),
      `${dialled}`,
    )
  })

  it('comes back to the dead later each time, and gives them up', async () => {
    const time = virtualTime()
    const { node, keeper } = await keeperOf({ target: 2, scheduler: time })
    const [dead] = (await plainPeers(1)) as [Libp2p]
    await name(node, dead)
    await dead.stop()
    let dials = 0
    const { connectionManager } = componentsOf(node)
    const open = connectionManager.openConnection as (...args: unknown[]) => Promise<unknown>
    let underWay = 0
    connectionManager.openConnection = async (...args: unknown[]) => {
      dials++
      underWay++
      return await open.apply(connectionManager, args).finally(() => underWay--)
    }
    const gaps: number[] = []
    let last = time.now()
    for (let minute = 0; minute < 12 * 60; minute++) {
      const before = dials
      await time.advance(60_000)
      await until(() => underWay === 0, 'the dials have ended')
      if (dials > before) {
        gaps.push(time.now() - last)
        last = time.now()
      }
    }
    assert.ok(dials <= 10, `it dialled ${dials} times`)
    assert.ok(gaps.at(-1)! > gaps[0]!)
    assert.equal(keeper.peers.length, 0)
  })

  it('hangs up on a peer that does not answer any more', async () => {
    const { node, keeper } = await keeperOf({ target: 1, pingInterval: 1000 })
    const [deaf] = (await plainPeers(1)) as [Libp2p]
    // It accepts the stream and says nothing.
    await deaf.handle('/ipfs/ping/1.0.0', (stream) => stream.abort(new Error('deaf')))
    await name(node, deaf)
    await until(() => keeper.peers.length === 1, 'it is connected')
    const [connection] = node.getConnections()
    await until(() => connection!.status !== 'open', 'it is hung up on')
  })

  it('keeps a peer that does not speak ping', async () => {
    const { node, keeper } = await keeperOf({ target: 1, pingInterval: 1000 })
    const [peer] = (await plainPeers(1)) as [Libp2p]
    await name(node, peer)
    await until(() => keeper.peers.length === 1, 'it is connected')
    const [connection] = node.getConnections()
    let pings = 0
    const newStream = connection!.newStream.bind(connection)
    connection!.newStream = async (...args) => {
      pings++
      return await newStream(...args)
    }
    await until(() => pings >= 2, 'it was asked twice')
    assert.equal(connection!.status, 'open')
  })

  it('dials neither itself nor its own addresses under other names', async () => {
    const { node, keeper } = await keeperOf({ target: 2 })
    const [other] = (await plainPeers(1)) as [Libp2p]
    await name(node, other, ['liar'], [addressOf(node)])
    const [honest] = (await plainPeers(1)) as [Libp2p]
    await name(node, honest)
    await until(() => keeper.peers.length === 1, 'the honest one is connected')
    assert.deepEqual(node.getDialQueue(), [])
    assert.deepEqual(held(keeper), [honest.peerId.toString()])
  })

  it('comes back to its longest peers after a restart', async () => {
    const folder = await temporaryFolder({ after: (remove) => stops.push(remove) })
    const anchors = join(folder, 'anchors.json')
    const time = virtualTime()
    const { node, keeper } = await keeperOf({ target: 4, anchors, scheduler: time })
    const peers = await plainPeers(3)
    for (const peer of peers) {
      await name(node, peer)
      await time.advance(0)
      await until(() => held(keeper).includes(peer.peerId.toString()), 'it is connected')
      await time.advance(5 * 60_000)
    }
    await node.stop()
    const written = JSON.parse(await readFile(anchors, 'utf8')).peers.map(({ id }: { id: string }) => id)
    assert.deepEqual(new Set(written), new Set(peers.slice(0, 2).map(({ peerId }) => peerId.toString())))

    const { keeper: next } = await keeperOf({ target: 4, anchors, scheduler: time })
    const one = async () => {
      await time.advance(0)
      return next.peers.length === 1
    }
    await until(one, 'one is connected at once, as no bootstrap has had the time to answer')
    await time.advance(SETTLED_MS)
    await until(() => next.peers.length === 2, 'both are connected without anybody naming them')
  })
})
