// peerKeeper(): keeps a number of connections to the peers that were discovered.
// Above 250 lines because it is where the events of libp2p, the book, the plan and the dials meet: each has a file of its own.
import {
  type Connection,
  type Logger,
  type PeerId,
  type PeerUpdate,
  type Startable,
  serviceCapabilities,
} from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Random, secureRandom } from '../../base/random.ts'
import { PeerCache } from '../cache/peer-cache.ts'
import { discoveryOf, linkKeeper, TARGET } from '../keeper-link.ts'
import { foreignAddresses, readAddress } from '../offered-peers.ts'
import { type Scheduler, systemScheduler } from '../scheduler.ts'
import { CACHE_SOURCE, sourcesOf } from '../source-tags.ts'
import { ANCHOR_INTERVAL_MS, anchorsOf } from './anchors.ts'
import { DIAL_TIMEOUT_MS, dialInTurn } from './dial-in-turn.ts'
import type { Entry, Opened } from './entry.ts'
import { KeeperBook } from './keeper-book.ts'
import {
  checkKeeperInit,
  type KeptPeer,
  type PeerKeeperComponents,
  type PeerKeeperInit,
  PING_INTERVAL_MS,
} from './keeper-init.ts'
import { planDials, SETTLED_MS } from './keeper-plan.ts'
import { assertAlive } from './liveness.ts'

/** How long a peer may take to echo, ms. */
const PING_TIMEOUT_MS = 10_000
/** The most addresses of a peer that are dialled: twice what one answer holds. */
const MAX_ADDRESSES = 16
/** How often time is looked at, ms. */
const TICK_MS = 1000

/**
 * Keeps a healthy set of connections to the peers that `bootstrapDiscovery` finds:
 *
 * ```ts
 * const node = await createLibp2p({ …, services: { peers: peerKeeper({ target: 8 }) } })
 * ```
 *
 * Dials up to the target, spread over network groups and over those who named the peers; asks those connected whether
 * they live, replaces the dropped, leaves alone the dead for longer each time. Peers that connect to this node fill no
 * place of the target, and are not dialled. It hangs up only on peers that no longer answer. Throws a TypeError at once when
 * an option does not exist or is not what it can be; nothing is thrown later.
 */
export function peerKeeper(init: PeerKeeperInit = {}): (components: PeerKeeperComponents) => PeerKeeper {
  checkKeeperInit(init)
  return (components) => new PeerKeeper(components, init)
}

export class PeerKeeper implements Startable {
  readonly [Symbol.toStringTag] = 'bootstrap-peer-keeper'
  readonly [serviceCapabilities]: string[] = ['bootstrap-peer-keeper']
  readonly #components: PeerKeeperComponents
  readonly #log: Logger
  readonly #target: number
  readonly #pingInterval: number
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #book = new KeeperBook()
  readonly #anchors: PeerCache
  #stopping: AbortController | undefined
  #cancelTick = () => {}
  #startedAt = 0
  #anchorsAt = 0
  #planned = false

  constructor(components: PeerKeeperComponents, init: PeerKeeperInit) {
    this.#components = components
    this.#log = components.logger.forComponent('bootstrap-peer:keeper')
    this.#target = init.target ?? TARGET
    this.#pingInterval = init.pingInterval ?? PING_INTERVAL_MS
    this.#scheduler = init.scheduler ?? systemScheduler()
    this.#random = init.random ?? secureRandom()
    const onWarning = (message: string) => this.#log.error(message)
    this.#anchors = new PeerCache({ path: init.anchors, scheduler: this.#scheduler, onWarning })
  }

  /** How many peers it wants to be connected to. */
  get target(): number {
    return this.#target
  }

  /** Those connected now, whichever side dialled: of those that connected to this node 4 at one IP, 16 in one network group. */
  get peers(): KeptPeer[] {
    return this.#book.held.map(({ id, connectedAt: since = 0, outbound, sources }) => ({
      id,
      since,
      direction: outbound ? 'outbound' : 'inbound',
      sources: [...sources],
    }))
  }

  /** Whether an origin counts as one of several: not while its peers all fail, nor when it is configured no more. */
  isVoice(origin: string): boolean {
    return this.#book.isVoice(origin) && (discoveryOf(this.#components.events)?.hasOrigin(origin) ?? true)
  }

  start(): void {
    linkKeeper(this.#components.events, this)
  }

  /** Idempotent. */
  async afterStart(): Promise<void> {
    if (this.#stopping !== undefined) {
      return
    }
    this.#stopping = new AbortController()
    this.#anchorsAt = this.#startedAt = this.#scheduler.now()
    const { events } = this.#components
    events.addEventListener('peer:update', this.#onPeer)
    events.addEventListener('connection:open', this.#onOpen)
    events.addEventListener('connection:close', this.#onClose)
    events.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#tick()
    await this.#anchors.open()
    const discovery = discoveryOf(events)
    for (const { id, addresses, origins } of this.#anchors.peers) {
      const known = origins.filter((origin) => discovery?.hasOrigin(origin) === true)
      this.#consider(id, addresses, [CACHE_SOURCE, ...known], true)
    }
  }

  /** Idempotent. */
  async beforeStop(): Promise<void> {
    const { events } = this.#components
    events.removeEventListener('peer:update', this.#onPeer)
    events.removeEventListener('connection:open', this.#onOpen)
    events.removeEventListener('connection:close', this.#onClose)
    events.removeEventListener('peer:disconnect', this.#onDisconnect)
    this.#cancelTick()
    if (this.#stopping !== undefined) {
      this.#stopping.abort()
      this.#stopping = undefined
      this.#keepAnchors()
    }
    await this.#anchors.close()
  }

  async stop(): Promise<void> {
    await this.beforeStop()
  }

  /**
   * The peer store learned something: most of it, of peers that a bootstrap named. Its addresses are not used: a connected
   * peer puts there what it likes, this node's own loopback and private network too.
   */
  readonly #onPeer = ({ detail: { peer } }: CustomEvent<PeerUpdate>): void => {
    const sources = sourcesOf(peer.tags)
    const id = peer.id.toString()
    const addresses = discoveryOf(this.#components.events)?.addressesOf(id)
    if (sources.length > 0 && addresses !== undefined) {
      this.#consider(id, addresses, sources, false)
    }
  }

  readonly #onOpen = ({ detail }: CustomEvent<Connection>): void => {
    const entry = this.#book.get(detail.remotePeer.toString())
    if (entry !== undefined) {
      this.#book.opened(entry, openedBy(detail), this.#scheduler.now())
    }
  }

  /** One of several connections to a peer ended: those of the other direction may be left. */
  readonly #onClose = ({ detail }: CustomEvent<Connection>): void => {
    const entry = this.#book.get(detail.remotePeer.toString())
    const left = this.#components.connectionManager.getConnections(detail.remotePeer)
    if (entry?.outbound && left.length > 0 && left.every(({ direction }) => direction === 'inbound')) {
      this.#book.becameInbound(entry, openedBy(left[0]!).at)
      this.#planSoon()
    }
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    const entry = this.#book.get(detail.toString())
    if (entry !== undefined) {
      this.#book.closed(entry, this.#scheduler.now(), this.#random)
      this.#planSoon()
    }
  }

  #consider(id: string, addresses: readonly string[], sources: readonly string[], anchor: boolean): void {
    const { peerId, connectionManager, addressManager } = this.#components
    const own = addressManager.getAddresses().map(String)
    const usable = foreignAddresses(id, addresses, own).slice(0, MAX_ADDRESSES)
    if (id === peerId.toString() || usable.length === 0) {
      return
    }
    const entry = this.#book.add(id, usable, sources, anchor)
    if (entry === undefined) {
      return
    }
    if (entry.connectedAt === undefined) {
      for (const connection of connectionManager.getConnections(peerIdFromString(id))) {
        this.#book.opened(entry, openedBy(connection), this.#scheduler.now())
      }
    }
    this.#planSoon()
  }

  /** Many peers come in one go, and are best looked at together. */
  #planSoon(): void {
    if (!this.#planned) {
      this.#planned = true
      this.#scheduler.after(0, () => {
        this.#planned = false
        this.#plan()
      })
    }
  }

  #plan(): void {
    if (this.#stopping === undefined) {
      return
    }
    const now = this.#scheduler.now()
    const chosen = planDials({
      target: this.#target,
      engaged: this.#book.engaged,
      available: this.#book.available,
      now,
      settled: now - this.#startedAt >= SETTLED_MS,
      random: this.#random,
      dialsAt: (ip) => this.#book.dialsAt(ip),
      isVoice: (origin) => this.isVoice(origin),
      wantsFeeler: (origin) => this.#book.wantsFeeler(origin, now),
    })
    for (const { id } of chosen) {
      this.#dial(this.#book.get(id)!, this.#stopping.signal)
    }
  }

  async #dial(entry: Entry, stopping: AbortSignal): Promise<void> {
    this.#book.dialling(entry)
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      const connection = await dialInTurn(this.#components.connectionManager, entry, signal)
      if (connection.status === 'open') {
        this.#book.opened(entry, openedBy(connection), this.#scheduler.now())
      }
    } catch (err) {
      if (!stopping.aborted) {
        this.#log('could not dial %s - %e', entry.id, err)
        this.#book.failed(entry, this.#scheduler.now(), this.#random)
      }
    } finally {
      entry.dialling = false
      this.#planSoon()
    }
  }

  #tick(): void {
    this.#cancelTick = this.#scheduler.after(TICK_MS, () => this.#tick())
    const now = this.#scheduler.now()
    this.#book.lasted(now)
    this.#plan()
    for (const entry of this.#book.held) {
      if (now - entry.aliveAt >= this.#pingInterval) {
        entry.aliveAt = now
        this.#ping(entry, this.#stopping!.signal)
      }
    }
    if (now - this.#anchorsAt >= ANCHOR_INTERVAL_MS) {
      this.#anchorsAt = now
      this.#keepAnchors()
    }
  }

  /** Hangs up on a peer that does not answer; the rest follows from that. libp2p does not say when one was last heard. */
  async #ping({ id }: Entry, stopping: AbortSignal): Promise<void> {
    for (const connection of this.#components.connectionManager.getConnections(peerIdFromString(id))) {
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(PING_TIMEOUT_MS)])
      await assertAlive(connection, signal).catch((err) => {
        if (!stopping.aborted) {
          this.#log('%s does not answer any more - %e', id, err)
          connection.abort(err)
        }
      })
    }
  }

  #keepAnchors(): void {
    const now = this.#scheduler.now()
    const anchors = anchorsOf(this.#book.held, this.#target, now)
    // None of them is no reason to forget those of before.
    if (anchors.length > 0) {
      this.#anchors.keep(anchors)
    }
  }
}

function openedBy({ direction, remoteAddr }: Connection): Opened {
  return { outbound: direction === 'outbound', at: readAddress(remoteAddr.toString()) }
}
