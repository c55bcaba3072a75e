// One run of a discovery, from its start to its stop: puts its parts together.

import type { Logger, PeerInfo } from '@libp2p/interface'
import { addressesToRegister } from '../addresses-to-register.ts'
import type { BootstrapAnswer } from '../bootstrap-answer.ts'
import { PeerCache } from '../cache/peer-cache.ts'
import { keeperOf, linkDiscovery, TARGET } from '../keeper-link.ts'
import { ownAddresses } from '../own-addresses.ts'
import type { Scheduler } from '../scheduler.ts'
import { unregistrableOf } from '../unregistrable.ts'
import { isDynamic } from './bootstrap-list.ts'
import { BootstrapLookup } from './bootstrap-lookup.ts'
import { type Bootstrap, Bootstraps, type Connect } from './bootstraps.ts'
import { CacheFallback } from './cache-fallback.ts'
import { type ChosenPeer, choosePeers, type Offer, originsByPeer } from './choose-peers.ts'
import { DeveloperWarnings } from './developer-warnings.ts'
import type { DiscoveryEvent } from './discovery-events.ts'
import type { BootstrapDiscoveryComponents, DiscoverySettings } from './discovery-init.ts'
import { PeerAnnouncer } from './peer-announcer.ts'
import { PeerDemand } from './peer-demand.ts'
import { WorkedPeers } from './worked-peers.ts'

/**
 * A running bootstrap has answered after this time, ms, from the far side of the world too. A node that is short of peers
 * from then on uses its cache, whatever the answers hold.
 */
const CACHE_AFTER_MS = 3000

export interface DiscoveryRunInit {
  readonly components: BootstrapDiscoveryComponents
  readonly settings: DiscoverySettings
  readonly connect: Connect
  readonly onPeer: (peer: PeerInfo) => void
}

/** A discovery from its start to its stop: puts the parts together. */
export class DiscoveryRun {
  readonly #components: BootstrapDiscoveryComponents
  readonly #settings: DiscoverySettings
  readonly #log: Logger
  readonly #scheduler: Scheduler
  readonly #announcer: PeerAnnouncer
  readonly #cache: PeerCache
  readonly #fallback: CacheFallback
  readonly #worked: WorkedPeers
  readonly #bootstraps: Bootstraps
  readonly #lookup: BootstrapLookup
  /** For an application without `onEvent`. */
  readonly #warnings: DeveloperWarnings | undefined
  /** The addresses of the configured bootstraps. */
  #configured: readonly string[] = []
  /** The last answer of each bootstrap. */
  readonly #offers = new Map<string, Offer>()
  readonly #demand: PeerDemand
  /** Whether the node wanted more peers when last looked at. */
  #wantsMore = true
  #cacheIsDue = false
  #stopped = false
  #opened: Promise<void> = Promise.resolve()
  #cancelCache = () => {}

  constructor({ components, settings, connect, onPeer }: DiscoveryRunInit) {
    const { network, refreshInterval, ttl, register, resolveTxt, scheduler, random } = settings
    const { peerId, peerStore, connectionManager, addressManager, logger } = components
    this.#components = components
    this.#settings = settings
    this.#scheduler = scheduler
    this.#log = logger.forComponent('bootstrap-peer:discovery')
    const ownId = peerId.toString()
    const warn = (message: string) => this.#report({ type: 'warning', message })

    this.#announcer = new PeerAnnouncer({ peerStore, onPeer, refreshInterval, log: this.#log })
    const warnOfCache = (message: string) => {
      warn(message)
      this.#warnings?.say(message)
    }
    this.#cache = new PeerCache({ path: settings.cache, scheduler, onWarning: warnOfCache })
    this.#fallback = new CacheFallback({
      cache: this.#cache,
      ownId,
      refreshInterval,
      scheduler,
      random,
      onUse: (peers) => this.#useCached(peers),
    })
    const announced = (id: string) => this.#announcer.addressesOf(id)
    const isBootstrap = (id: string) => this.#bootstraps.has(id)
    const { events } = components
    this.#worked = new WorkedPeers({ cache: this.#cache, events, connectionManager, announced, isBootstrap })
    this.#demand = new PeerDemand({
      connectionManager,
      target: () => this.#target,
      named: () => originsByPeer([...this.#offers.values()]),
      counts: (id) => announced(id) !== undefined && !isBootstrap(id),
      now: scheduler.now,
    })
    this.#bootstraps = new Bootstraps({
      ...{ connect, ownId, ttl, refreshInterval, scheduler, random },
      addresses: (of, family) => (register ? addressesToRegister(ownAddresses(addressManager), of, family) : []),
      wantsMore: () => this.#wantsMoreNow(),
      onAnswer: (bootstrap, answer) => this.#takeAnswer(bootstrap, answer),
      onOutcomes: ({ id }, registrations) => this.#report({ type: 'outcomes', bootstrap: id, registrations }),
      onFailure: ({ id }, error, retryIn) => {
        this.#report({ type: 'failure', bootstrap: id, error, retryIn })
        this.#fallBack()
      },
      onMet: ({ id, addresses, origin }) => {
        this.#cache.met({ id, addresses, origin })
        this.#report({ type: 'learned', bootstrap: id, addresses })
      },
      onGone: ({ id }) => {
        this.#offers.delete(id)
        this.#cache.forgetBootstrap(id)
      },
      onUnregistered: ({ id }, error) => this.#report({ type: 'unregistered', bootstrap: id, error }),
    })
    this.#lookup = new BootstrapLookup({
      sources: settings.sources,
      interval: refreshInterval,
      resolveTxt,
      scheduler,
      random,
      onFound: (found) => {
        this.#configured = [...found.values()].flat()
        this.#bootstraps.configure(found)
      },
      onFault: (message) => {
        warn(message)
        this.#fallBack()
      },
    })
    const bootstraps = this.#bootstraps
    const unregistrable = () => (register ? unregistrableOf(addressManager, this.#configured) : undefined)
    const hasKeeper = () => keeperOf(events) !== undefined
    this.#warnings =
      settings.onEvent === undefined
        ? new DeveloperWarnings({ network, bootstraps, connectionManager, hasKeeper, unregistrable, logger, scheduler })
        : undefined
  }

  start(): void {
    const { events } = this.#components
    linkDiscovery(events, this.#announcer)
    this.#worked.start()
    events.addEventListener('peer:connect', this.#onPeersChanged)
    events.addEventListener('peer:disconnect', this.#onPeersChanged)
    // libp2p listens while this starts, and announces its addresses a second later.
    events.addEventListener('transport:listening', this.#onAddresses)
    events.addEventListener('self:peer:update', this.#onAddresses)
    this.#warnings?.start()
    // The configured bootstraps are asked before anything is read from a disk.
    this.#lookup.start()
    if (this.#bootstraps.size === 0 && !isDynamic(this.#settings.sources)) {
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
    events.removeEventListener('peer:connect', this.#onPeersChanged)
    events.removeEventListener('peer:disconnect', this.#onPeersChanged)
    events.removeEventListener('transport:listening', this.#onAddresses)
    events.removeEventListener('self:peer:update', this.#onAddresses)
    this.#worked.stop()
    this.#stopped = true
    this.#warnings?.stop()
    this.#lookup.stop()
    this.#fallback.stop()
    this.#cancelCache()
    await this.#opened.catch(() => {})
    await Promise.all([this.#bootstraps.stop(), this.#cache.close()])
  }

  #takeAnswer({ id, origin }: Bootstrap, { peers, self, observed }: BootstrapAnswer): void {
    this.#offers.set(id, { origin, peers })
    const named = new Set(peers.map((peer) => peer.id))
    const chosen = choosePeers([...this.#offers.values()])
    for (const peer of chosen) {
      if (named.has(peer.id)) {
        if (this.#announcer.addressesOf(peer.id) === undefined) {
          this.#demand.newPeer()
        }
        this.#announcer.announce(peer)
        this.#worked.named(peer)
      }
    }
    if (this.#cacheIsDue || chosen.length < this.#target) {
      this.#useCacheIfShort()
    }
    this.#report({ type: 'answer', bootstrap: id, peers: peers.length, listed: self !== undefined, observed })
  }

  get #target(): number {
    return this.#settings.target ?? keeperOf(this.#components.events)?.target ?? TARGET
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
    this.#report({ type: 'cache', peers: peers.length })
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

  readonly #onAddresses = () => this.#bootstraps.addressesChanged()

  #report(event: DiscoveryEvent): void {
    this.#log('%s %o', event.type, event)
    this.#warnings?.take(event)
    try {
      this.#settings.onEvent?.(event)
    } catch (err) {
      this.#log.error('the application threw in onEvent - %e', err)
    }
  }
}
