// peerKeeper(): keeps a number of connections to the peers that were discovered.

import {
  type Connection,
  type Logger,
  type PeerId,
  type PeerUpdate,
  type Startable,
  serviceCapabilities,
} from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { type Random, secureRandom } from '../../base/random.ts'
import { PeerCache } from '../cache/peer-cache.ts'
import { discoveryOf, linkKeeper, TARGET } from '../keeper-link.ts'
import { foreignAddresses } from '../offered-peers.ts'
import { type Scheduler, systemScheduler } from '../scheduler.ts'
import { CACHE_SOURCE, sourcesOf } from '../source-tags.ts'
import { ANCHOR_INTERVAL_MS, anchorsOf } from './anchors.ts'
import { type Entry, KeeperBook } from './keeper-book.ts'
import {
  checkKeeperInit,
  type KeptPeer,
  type PeerKeeperComponents,
  type PeerKeeperInit,
  PING_INTERVAL_MS,
} from './keeper-init.ts'
import { planDials, SETTLED_MS } from './keeper-plan.ts'
import { assertAlive } from './liveness.ts'

/** How long a peer may take to echo, ms, and to be dialled. */
const PING_TIMEOUT_MS = 10_000
const DIAL_TIMEOUT_MS = 10_000
/** How long one address may take while others are left, ms: connecting at 300 ms of round trip takes 1.5 s. */
const ADDRESS_TIMEOUT_MS = 3000
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
 * they live, replaces the dropped, leaves alone the dead for longer each time. Peers that connect to this node count
 * when a bootstrap named them too. It hangs up on nobody but the dead. Throws a TypeError here and now when an option is
 * not what it can be, or has no such name, and nothing later.
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

  /** Those connected now. */
  get peers(): KeptPeer[] {
    return this.#book.connected.map(({ id, connectedAt: since = 0, sources }) => ({ id, since, sources: [...sources] }))
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
    events.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#tick()
    await this.#anchors.open()
    for (const { id, addresses } of this.#anchors.peers) {
      this.#consider(id, addresses, [CACHE_SOURCE], true)
    }
  }

  /** Idempotent. */
  async beforeStop(): Promise<void> {
    const { events } = this.#components
    events.removeEventListener('peer:update', this.#onPeer)
    events.removeEventListener('connection:open', this.#onOpen)
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

  /** The peer store learned something: most of it, of peers that a bootstrap named. */
  readonly #onPeer = ({ detail: { peer } }: CustomEvent<PeerUpdate>): void => {
    const sources = sourcesOf(peer.tags)
    if (sources.length > 0) {
      const addresses = peer.addresses.map((each) => each.multiaddr.toString())
      this.#consider(peer.id.toString(), addresses, sources, false)
    }
  }

  readonly #onOpen = ({ detail }: CustomEvent<Connection>): void => {
    const entry = this.#book.get(detail.remotePeer.toString())
    if (entry !== undefined) {
      this.#book.opened(entry, this.#scheduler.now())
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
    const { peerId, connectionManager, addressManager, events } = this.#components
    const ordered = new Set([...(discoveryOf(events)?.addressesOf(id) ?? []), ...addresses])
    const own = addressManager.getAddresses().map(String)
    const usable = foreignAddresses(id, [...ordered], own).slice(0, MAX_ADDRESSES)
    if (id === peerId.toString() || usable.length === 0) {
      return
    }
    const entry = this.#book.add(id, usable, sources, anchor)
    if (entry === undefined) {
      return
    }
    if (entry.connectedAt === undefined && connectionManager.getConnections(peerIdFromString(id)).length > 0) {
      this.#book.opened(entry, this.#scheduler.now())
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
    })
    for (const { id } of chosen) {
      this.#dial(this.#book.get(id)!, this.#stopping.signal)
    }
  }

  async #dial(entry: Entry, stopping: AbortSignal): Promise<void> {
    entry.dialling = true
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      const connection = await this.#openOneOf(entry, signal)
      if (connection.status === 'open') {
        this.#book.opened(entry, this.#scheduler.now())
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

  /**
   * One address after the other, also those that are named meanwhile: one that stays silent leaves the others their time.
   * Each attempt begins with another of them, so that all get their turn, however many a liar has put in front.
   */
  async #openOneOf(entry: Entry, signal: AbortSignal): Promise<Connection> {
    const tried = new Set<string>()
    for (;;) {
      const first = entry.failures % entry.addresses.length
      const inTurn = [...entry.addresses.slice(first), ...entry.addresses.slice(0, first)]
      const [next, ...others] = inTurn.map(({ text }) => text).filter((text) => !tried.has(text))
      tried.add(next!)
      const most = AbortSignal.timeout(others.length > 0 ? ADDRESS_TIMEOUT_MS : DIAL_TIMEOUT_MS)
      try {
        const target = multiaddr(`${next}/p2p/${entry.id}`)
        return await this.#components.connectionManager.openConnection(target, {
          signal: AbortSignal.any([signal, most]),
        })
      } catch (err) {
        if (signal.aborted || entry.addresses.every(({ text }) => tried.has(text))) {
          throw err
        }
      }
    }
  }

  #tick(): void {
    this.#cancelTick = this.#scheduler.after(TICK_MS, () => this.#tick())
    const now = this.#scheduler.now()
    this.#plan()
    for (const entry of this.#book.connected) {
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
    const anchors = anchorsOf(this.#book.connected, this.#target, now)
    // None of them is no reason to forget those of before.
    if (anchors.length > 0) {
      this.#anchors.keep(anchors)
    }
  }
}
