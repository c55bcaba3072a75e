import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { type Connection, type Peer, TypedEventEmitter } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Random } from '../../src/base/random.ts'
import { BootstrapError } from '../../src/client/bootstrap-error.ts'
import type { SessionClient } from '../../src/client/discovery/bootstrap-session.ts'
import { Discovery } from '../../src/client/discovery/discovery.ts'
import type { BootstrapDiscoveryComponents } from '../../src/client/discovery/discovery-init.ts'
import type { PeerKeeperComponents } from '../../src/client/keeper/keeper-init.ts'
import { type PeerKeeper, peerKeeper } from '../../src/client/keeper/peer-keeper.ts'
import { readOfferedPeers } from '../../src/client/offered-peers.ts'
import { anyPeerId } from '../support/known-peers.ts'
import { seededRandom } from '../support/random.ts'
import { NOW } from '../support/tables.ts'
import { type VirtualTime, virtualTime } from '../support/virtual-time.ts'

/** How long connecting takes where a peer answers, and silence where none does: half of the dead refuse at once, ms. */
const CONNECT_MS = 150
const SILENCE_MS = 10_000

export interface WorldPeer {
  readonly id: string
  /** A multiaddr without `/p2p`. */
  readonly address: string
  readonly kind: 'honest' | 'planted'
}

/** A bootstrap: what it says when it is asked. Throws when it is not there. */
export interface WorldBootstrap {
  readonly id: string
  /** How long it takes to answer, ms. */
  readonly latency: number
  /** Multiaddrs with `/p2p` of peers. */
  readonly peers: () => readonly string[]
  readonly siblings: () => readonly string[]
  readonly isUp: () => boolean
}

/** An internet of peers on a virtual clock, in which the client's own discovery and keeper run. */
export interface ClientWorld {
  readonly time: VirtualTime
  readonly random: Random
  /** Who answers at each address. */
  readonly answering: Map<string, WorldPeer>
  readonly bootstraps: Map<string, WorldBootstrap>
  /** The client's nodes that run. */
  readonly nodes: Set<ClientNode>
}

export function newWorld(seed: number): ClientWorld {
  let turns = 0
  // Nearly all follows by promises, which have run dry at the next tick; files take turns of the event loop.
  const turn = () => (++turns % 50 === 0 ? nextTurn() : new Promise<void>((resolve) => process.nextTick(resolve)))
  const time = virtualTime(NOW, turn)
  return {
    time,
    random: seededRandom(seed),
    answering: new Map(),
    bootstraps: new Map(),
    nodes: new Set(),
  }
}

export function bootstrapIn(
  world: ClientWorld,
  init: Partial<Omit<WorldBootstrap, 'id'>> & Pick<WorldBootstrap, 'peers'>,
): string {
  const id = anyPeerId()
  world.bootstraps.set(id, { id, latency: 100, siblings: () => [], isUp: () => true, ...init })
  return `/ip4/8.8.${world.bootstraps.size}.8/tcp/4000/p2p/${id}`
}

export interface ClientNodeInit {
  readonly bootstraps: readonly string[]
  readonly target?: number
  readonly cache?: string
  readonly anchors?: string
}

/** A node with the client's discovery and keeper, and counts of what it did. */
export interface ClientNode {
  readonly keeper: PeerKeeper
  /** How often each bootstrap was asked, and when it was last, ms. */
  readonly asked: Map<string, { count: number; lastAt: number }>
  /** Addresses dialled, with how often. */
  readonly dials: Map<string, number>
  /** A peer connects to it. */
  connectFrom(peer: WorldPeer, port: number): void
  /** Connections to a peer end. */
  hangUp(id: string): void
  outbound(kind: WorldPeer['kind']): number
  stop(): Promise<void>
}

/** Starts one. What is of libp2p is replaced: its events, its peer store and its connections. */
export async function startClientNode(world: ClientWorld, init: ClientNodeInit): Promise<ClientNode> {
  const { time, time: scheduler, random, answering } = world
  const events = new TypedEventEmitter()
  const connections = new Map<string, Connection[]>()
  const kinds = new Map<string, WorldPeer['kind']>()
  const tags = new Map<string, Map<string, { value: number }>>()
  const asked: ClientNode['asked'] = new Map()
  const dials = new Map<string, number>()
  const emit = (type: string, detail: unknown) => events.dispatchEvent(new CustomEvent(type, { detail }))
  const ownId = anyPeerId()
  let count = 0

  function tell(id: string, addresses: readonly Multiaddr[]): void {
    const peer = {
      id: peerIdFromString(id),
      tags: tags.get(id) ?? new Map(),
      addresses: addresses.map((each) => ({ multiaddr: each, isCertified: false })),
    } as unknown as Peer
    emit('peer:update', { peer })
  }

  function open(peer: WorldPeer, remoteAddr: string, direction: Connection['direction']): Connection {
    const connection = {
      id: `${++count}`,
      remotePeer: peerIdFromString(peer.id),
      remoteAddr: multiaddr(remoteAddr),
      direction,
      status: 'open',
      streams: [],
      newStream: async () => {
        throw Object.assign(new Error('no ping'), { name: 'UnsupportedProtocolError' })
      },
      abort: () => hangUp(peer.id),
    } as unknown as Connection
    const known = connections.get(peer.id) ?? []
    connections.set(peer.id, [...known, connection])
    kinds.set(peer.id, peer.kind)
    emit('connection:open', connection)
    if (known.length === 0) {
      emit('peer:connect', connection.remotePeer)
    }
    if (peer.kind === 'planted') {
      // As identify does, with what the peer says of itself.
      tell(peer.id, [multiaddr('/ip4/127.0.0.1/tcp/8545'), multiaddr('/ip4/192.168.1.1/tcp/8080')])
    }
    return connection
  }

  function hangUp(id: string): void {
    const ended = connections.get(id) ?? []
    connections.delete(id)
    for (const connection of ended) {
      emit('connection:close', connection)
    }
    if (ended.length > 0) {
      emit('peer:disconnect', peerIdFromString(id))
    }
  }

  const connectionManager = {
    getConnections: (id?: { toString(): string }) =>
      id === undefined ? [...connections.values()].flat() : (connections.get(id.toString()) ?? []),
    openConnection: async (target: Multiaddr) => {
      const [address, id] = target.toString().split('/p2p/') as [string, string]
      dials.set(address, (dials.get(address) ?? 0) + 1)
      const peer = answering.get(address)
      if (peer === undefined && random() < 0.5) {
        throw new Error('refused')
      }
      await time.wait(peer === undefined ? SILENCE_MS : CONNECT_MS)
      if (peer === undefined || answering.get(address) !== peer || peer.id !== id) {
        throw new Error('silent, or another peer')
      }
      return connections.get(id)?.[0] ?? open(peer, address, 'outbound')
    },
  }
  const log = Object.assign(() => {}, { error: () => {}, trace: () => {} })
  const components = {
    peerId: peerIdFromString(ownId),
    events,
    connectionManager,
    addressManager: { getAddresses: () => [] },
    logger: { forComponent: () => log },
    peerStore: {
      merge: async (id: { toString(): string }, update: { multiaddrs: Multiaddr[]; tags: Record<string, never> }) => {
        tags.set(id.toString(), new Map([...(tags.get(id.toString()) ?? []), ...Object.entries(update.tags)]))
        tell(id.toString(), update.multiaddrs)
      },
    },
  } as unknown as BootstrapDiscoveryComponents & PeerKeeperComponents

  const keeper = peerKeeper({ scheduler, random, ...only(init, 'target', 'anchors') })(components)
  const discovery = new Discovery(
    components,
    {
      bootstraps: init.bootstraps,
      register: false,
      onEvent: () => {},
      scheduler,
      random,
      ...only(init, 'cache'),
    },
    (addresses) => clientOf(world, addresses, asked),
  )
  keeper.start()
  discovery.start()
  await keeper.afterStart()
  discovery.afterStart()
  if (init.cache !== undefined || init.anchors !== undefined) {
    // Files are read in real time.
    await delay(50)
  }

  const node: ClientNode = {
    keeper,
    asked,
    dials,
    connectFrom: (peer, port) => {
      open(peer, peer.address.replace(/tcp\/\d+/, `tcp/${port}`), 'inbound')
    },
    hangUp,
    outbound: (kind) =>
      [...connections.values()].flat().filter(({ direction, remotePeer }) => {
        return direction === 'outbound' && kinds.get(remotePeer.toString()) === kind
      }).length,
    async stop() {
      world.nodes.delete(node)
      await Promise.all([discovery.beforeStop(), keeper.beforeStop()])
    },
  }
  world.nodes.add(node)
  return node
}

function clientOf(world: ClientWorld, addresses: readonly string[], asked: ClientNode['asked']): SessionClient {
  const id = addresses[0]!.split('/p2p/')[1]!
  const discover: SessionClient['discover'] = async () => {
    const { time, bootstraps } = world
    const bootstrap = bootstraps.get(id)
    asked.set(id, { count: (asked.get(id)?.count ?? 0) + 1, lastAt: time.now() })
    await time.wait(bootstrap?.latency ?? CONNECT_MS)
    if (bootstrap === undefined || !bootstrap.isUp()) {
      throw new BootstrapError('unreachable', id, 'it is down')
    }
    const records = bootstrap.peers().map((each) => ({ addresses: each.split(' ') }))
    return {
      peers: readOfferedPeers(records, 'public'),
      self: undefined,
      observed: undefined,
      registrations: [],
      bootstraps: bootstrap.siblings(),
    }
  }
  return { id, discover, register: discover, unregister: discover } as SessionClient
}

/** The members that are given. */
function only<Init extends object, Key extends keyof Init>(init: Init, ...keys: Key[]): Partial<Pick<Init, Key>> {
  return Object.fromEntries(keys.flatMap((key) => (init[key] === undefined ? [] : [[key, init[key]]]))) as Partial<
    Pick<Init, Key>
  >
}

/** Lets something happen again and again. */
export function every(time: VirtualTime, ms: number, callback: () => void): void {
  const next = () => {
    callback()
    time.at(time.now() + ms, next)
  }
  time.at(time.now() + ms, next)
}
