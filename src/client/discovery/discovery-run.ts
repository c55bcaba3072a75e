import type { Connection, IdentifyResult, Logger, PeerInfo } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { secureRandom } from '../../base/random.ts'
import { addressesToRegister } from '../addresses-to-register.ts'
import { type BootstrapAnswer, BootstrapClient } from '../bootstrap-client.ts'
import { PeerCache } from '../cache/peer-cache.ts'
import { CALL_TIMEOUT_MS } from '../exchange.ts'
import { TARGET } from '../keeper/keeper-init.ts'
import { keeperOf, linkDiscovery } from '../keeper-link.ts'
import { readDialable } from '../offered-peers.ts'
import { type Scheduler, systemScheduler } from '../scheduler.ts'
import { isDynamic } from './bootstrap-list.ts'
import { BootstrapLookup } from './bootstrap-lookup.ts'
import { Bootstraps } from './bootstraps.ts'
import type { Bootstrap } from './bootstraps-init.ts'
import { CacheFallback } from './cache-fallback.ts'
import type { ChosenPeer } from './choose-peers.ts'
import { DeveloperWarnings } from './developer-warnings.ts'
import type { DiscoveryEvent } from './discovery-events.ts'
import {
  type BootstrapDiscoveryComponents,
  type BootstrapDiscoveryInit,
  REFRESH_INTERVAL_MS,
  TTL_S,
} from './discovery-init.ts'
import { systemResolveTxt } from './dnsaddr.ts'
import { addressesOfInbound } from './inbound-peers.ts'
import { Offers } from './offers.ts'
import { PeerAnnouncer } from './peer-announcer.ts'
import { PeerDemand } from './peer-demand.ts'

/**
 * A bootstrap that is there has answered by now, from the far side of the world too, ms. A node that is short of peers
 * from then on uses its cache, whatever the answers hold.
 */
const CACHE_AFTER_MS = 3000

/** A discovery from its start to its stop: puts the parts together. */
export class DiscoveryRun {
  readonly #components: BootstrapDiscoveryComponents
  readonly #init: BootstrapDiscoveryInit
  readonly #log: Logger
  readonly #scheduler: Scheduler
  readonly #announcer: PeerAnnouncer
  readonly #cache: PeerCache
  readonly #fallback: CacheFallback
  readonly #bootstraps: Bootstraps
  readonly #lookup: BootstrapLookup
  /** For an application that does not take the events itself. */
  readonly #warnings: DeveloperWarnings | undefined
  readonly #offers = new Offers()
  readonly #demand: PeerDemand
  /** Whether the node wanted more peers when last looked at. */
  #wantsMore = true
  #cacheIsDue = false
  #stopped = false
  #opened: Promise<void> = Promise.resolve()
  #cancelCache = () => {}

  constructor(
    components: BootstrapDiscoveryComponents,
    init: BootstrapDiscoveryInit,
    onPeer: (peer: PeerInfo) => void,
  ) {
    const {
      scheduler = systemScheduler(),
      random = secureRandom(),
      resolveTxt = systemResolveTxt,
      register = true,
    } = init
    const { network = '', timeout = CALL_TIMEOUT_MS, refreshInterval = REFRESH_INTERVAL_MS, ttl = TTL_S } = init
    const { peerId, peerStore, connectionManager, addressManager, logger } = components
    this.#components = components
    this.#init = init
    this.#scheduler = scheduler
    this.#log = logger.forComponent('bootstrap-peer:discovery')
    const dialer = { peerId, dial: connectionManager.openConnection.bind(connectionManager) }
    const ownId = peerId.toString()
    const warn = (message: string) => this.#tell({ type: 'warning', message })

    this.#announcer = new PeerAnnouncer({ peerStore, onPeer, refreshInterval, log: this.#log })
    const warnOfCache = (message: string) => {
      warn(message)
      this.#warnings?.say(message)
    }
    this.#cache = new PeerCache({ path: init.cache, scheduler, onWarning: warnOfCache })
    this.#fallback = new CacheFallback({
      cache: this.#cache,
      ownId,
      hasOrigin: (origin) => this.#bootstraps.hasOrigin(origin),
      isConnected: (id) => connectionManager.getConnections(peerIdFromString(id)).length > 0,
      refreshInterval,
      scheduler,
      random,
      onUse: (peers) => this.#useCached(peers),
    })
    this.#demand = new PeerDemand({
      connectionManager,
      target: () => this.#target,
      named: () => this.#offers.originsByPeer(),
      isVoice: (origin) => keeperOf(components.events)?.isVoice(origin) ?? true,
      counts: (id) => this.#announcer.addressesOf(id) !== undefined && !this.#bootstraps.has(id),
      now: scheduler.now,
    })
    this.#bootstraps = new Bootstraps({
      connect: init.connect ?? ((addresses) => new BootstrapClient(dialer, addresses, { network, timeout })),
      addresses: (of, family) =>
        register ? addressesToRegister(addressManager.getAddresses().map(String), of, family) : [],
      ownId,
      ttl,
      refreshInterval,
      wantsMore: () => this.#wantsMoreNow(),
      scheduler,
      random,
      onAnswer: (bootstrap, answer) => this.#takeAnswer(bootstrap, answer),
      onOutcomes: ({ id }, registrations) => this.#tell({ type: 'outcomes', bootstrap: id, registrations }),
      onFailure: ({ id }, error, retryIn) => {
        this.#tell({ type: 'failure', bootstrap: id, error, retryIn })
        this.#fallBack()
      },
      onMet: ({ id, addresses }) => this.#tell({ type: 'learned', bootstrap: id, addresses }),
      onChanged: ({ id, addresses, namedBy, unnamedMs }) =>
        this.#cache.met({ id, addresses, origin: namedBy, unnamedMs }),
      onGone: (id) => {
        this.#offers.forget(id)
        this.#cache.forgetBootstrap(id)
      },
      onUnregistered: ({ id }, error) => this.#tell({ type: 'unregistered', bootstrap: id, error }),
    })
    this.#lookup = new BootstrapLookup({
      sources: init,
      interval: refreshInterval,
      resolveTxt,
      scheduler,
      random,
      onFound: (found, known) => this.#bootstraps.configure(found, known),
      onFault: (message) => {
        warn(message)
        this.#fallBack()
      },
    })
    const bootstraps = this.#bootstraps
    const hasKeeper = () => keeperOf(components.events) !== undefined
    this.#warnings =
      init.onEvent === undefined
        ? new DeveloperWarnings({ network, bootstraps, connectionManager, hasKeeper, logger, scheduler })
        : undefined
  }

  start(): void {
    const { events } = this.#components
    linkDiscovery(events, {
      addressesOf: (id) => this.#announcer.addressesOf(id),
      hasOrigin: (origin) => this.#bootstraps.hasOrigin(origin),
    })
    events.addEventListener('connection:open', this.#onConnection)
    events.addEventListener('peer:identify', this.#onIdentify)
    events.addEventListener('peer:connect', this.#onPeersChanged)
    events.addEventListener('peer:disconnect', this.#onPeersChanged)
    // libp2p listens while this starts, and tells what it listens at a second later.
    events.addEventListener('transport:listening', this.#onAddresses)
    events.addEventListener('self:peer:update', this.#onAddresses)
    this.#warnings?.start()
    // The configured bootstraps are asked before anything is read from a disk.
    this.#lookup.start()
    if (this.#bootstraps.size === 0 && !isDynamic(this.#init)) {
      this.#fallback.use()
    }
    this.#cancelCache = this.#scheduler.after(CACHE_AFTER_MS, () => {
      this.#cacheIsDue = true
      this.#useCacheIfShort()
    })
    this.#opened = this.#cache.open().then(() => {
      if (!this.#stopped) {
        this.#bootstraps.restore(this.#cache.bootstraps)
        this.#fallback.ready()
      }
    })
    this.#opened.catch((err) => this.#log.error('the cache could not be used - %e', err))
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    const { events } = this.#components
    events.removeEventListener('connection:open', this.#onConnection)
    events.removeEventListener('peer:identify', this.#onIdentify)
    events.removeEventListener('peer:connect', this.#onPeersChanged)
    events.removeEventListener('peer:disconnect', this.#onPeersChanged)
    events.removeEventListener('transport:listening', this.#onAddresses)
    events.removeEventListener('self:peer:update', this.#onAddresses)
    this.#stopped = true
    this.#warnings?.stop()
    this.#lookup.stop()
    this.#fallback.stop()
    this.#cancelCache()
    await this.#opened.catch(() => {})
    await Promise.all([this.#bootstraps.stop(), this.#cache.close()])
  }

  #takeAnswer({ id, origin, namedBy }: Bootstrap, { peers, self, observed }: BootstrapAnswer): void {
    this.#offers.take(id, { origin, learned: namedBy !== undefined, peers })
    const named = new Set(peers.map((peer) => peer.id))
    const chosen = this.#offers.choose()
    for (const peer of chosen) {
      if (named.has(peer.id)) {
        if (this.#announcer.addressesOf(peer.id) === undefined) {
          this.#demand.newPeer()
        }
        this.#announcer.announce(peer)
        this.#rememberConnected(peer)
      }
    }
    if (this.#cacheIsDue || chosen.length < this.#target) {
      this.#useCacheIfShort()
    }
    this.#tell({ type: 'answer', bootstrap: id, peers: peers.length, listed: self !== undefined, observed })
  }

  get #target(): number {
    return this.#init.target ?? keeperOf(this.#components.events)?.target ?? TARGET
  }

  #wantsMoreNow(): boolean {
    this.#wantsMore = this.#demand.wantsMore
    return this.#wantsMore
  }

  #useCacheIfShort(): void {
    if (this.#demand.isShort) {
      this.#fallback.use()
    }
  }

  #fallBack(): void {
    if (this.#bootstraps.allFail) {
      this.#fallback.use()
    }
  }

  #useCached(peers: readonly ChosenPeer[]): void {
    this.#tell({ type: 'cache', peers: peers.length })
    for (const peer of peers) {
      this.#announcer.announce(peer)
    }
  }

  readonly #onPeersChanged = (): void => {
    const wanted = this.#wantsMore
    if (this.#wantsMoreNow() && !wanted) {
      this.#bootstraps.wantsMoreAgain()
    }
  }

  /** A peer that connected to this node is remembered before any bootstrap has named it. */
  readonly #onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    const id = detail.peerId.toString()
    if (detail.connection.direction === 'inbound' && !this.#bootstraps.has(id)) {
      const inPrivate = this.#offers.inPrivate || this.#bootstraps.hasPrivate
      this.#cache.connected(
        id,
        addressesOfInbound(detail, inPrivate).map(({ text }) => text),
      )
    }
  }

  readonly #onAddresses = () => this.#bootstraps.addressesChanged()

  /** A peer that was found here works: at the address it was dialled at, or it came from where nobody can dial it. */
  readonly #onConnection = ({ detail: { remotePeer, remoteAddr, direction } }: CustomEvent<Connection>): void => {
    const id = remotePeer.toString()
    const announced = this.#announcer.addressesOf(id)
    if (announced !== undefined && !this.#bootstraps.has(id)) {
      const dialled = direction === 'outbound' ? readDialable(remoteAddr.toString()) : undefined
      if (dialled === undefined) {
        this.#cache.named(id, announced, this.#offers.originsOf(id))
      } else {
        this.#cache.dialled(id, dialled.address.text, this.#offers.originsOf(id))
      }
    }
  }

  /** A peer that was connected before a bootstrap named it, as one is that found this node first. */
  #rememberConnected({ id, addresses, origins }: ChosenPeer): void {
    if (this.#components.connectionManager.getConnections(peerIdFromString(id)).length > 0) {
      this.#cache.named(id, addresses, origins)
    }
  }

  #tell(event: DiscoveryEvent): void {
    this.#log('%s %o', event.type, event)
    this.#warnings?.take(event)
    try {
      this.#init.onEvent?.(event)
    } catch (err) {
      this.#log.error('the application threw in onEvent - %e', err)
    }
  }
}
