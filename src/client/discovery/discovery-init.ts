// The options of `bootstrapDiscovery`: their kinds and defaults.

import type { ComponentLogger, Libp2pEvents, PeerId, PeerStore, TypedEventTarget } from '@libp2p/interface'
import type { AddressManager, ConnectionManager } from '@libp2p/interface-internal'
import {
  callback,
  checkOptions,
  type ModuleOptions,
  number,
  path,
  refuse,
  texts,
  toggle,
} from '../../base/option-kinds.ts'
import { type Random, secureRandom } from '../../base/random.ts'
import { DEFAULT_TTL_MS, MAX_TTL_MS, MIN_TTL_MS } from '../../peer/limits.ts'
import { bootstrapProblem, EXAMPLE_BOOTSTRAP } from '../bootstrap-address.ts'
import { CALL_TIMEOUT_MS } from '../exchange.ts'
import { type Scheduler, systemScheduler } from '../scheduler.ts'
import { interval, network, random, scheduler, target, timeout } from '../shared-options.ts'
import type { BootstrapSources } from './bootstrap-list.ts'
import type { DiscoveryEvent } from './discovery-events.ts'
import { type ResolveTxt, systemResolveTxt } from './dnsaddr.ts'

/** How often each bootstrap is asked by a node that has its peers, ms, ± 20 %. */
export const REFRESH_INTERVAL_MS = 5 * 60_000

export interface BootstrapDiscoveryInit extends BootstrapSources {
  /** The network, which is one chain: at most 255 bytes of UTF-8. Default `''`, the network without a name. */
  readonly network?: string
  /**
   * How many peers the node wants, 1 to 1000: while it is connected to fewer, it asks again soon and tries those of its
   * cache. Default: the target of its `peerKeeper`; without one {@link TARGET}.
   */
  readonly target?: number
  /**
   * A file for up to 1000 peers that worked, and bootstraps that were met: for when the answers of the bootstraps leave
   * the node short of peers. Default: none, forgotten with the process.
   */
  readonly cache?: string
  /**
   * How often each bootstrap is asked once the node has its peers, ms, ± 20 %: 1000 to 86,400,000. Before, it is asked
   * after about 0.5, 1, 2, 4 … s. Default {@link REFRESH_INTERVAL_MS}.
   */
  readonly refreshInterval?: number
  /** How long a registration lasts unless it is renewed, ms: 60,000 to 259,200,000. Default {@link DEFAULT_TTL_MS}. */
  readonly ttl?: number
  /** Whether to register this node. One that does not listen only asks. Default true. */
  readonly register?: boolean
  /** How long a bootstrap may take to be dialled and to answer, ms: 1000 to 600,000. Default {@link CALL_TIMEOUT_MS}. */
  readonly timeout?: number
  /** Called for every event; exceptions are logged. Default: what a developer has to know is logged as a warning. */
  readonly onEvent?: (event: DiscoveryEvent) => void
  /** Looks up the TXT records of a name. Default: as the system does. */
  readonly resolveTxt?: ResolveTxt
  /** For tests: the time. Default: the system's. */
  readonly scheduler?: Scheduler
  /** For tests: numbers from 0 to 1. Default: the system's. */
  readonly random?: Random
}

const OPTIONS: ModuleOptions<BootstrapDiscoveryInit> = {
  example: `{ bootstraps: ['${EXAMPLE_BOOTSTRAP}'] }`,
  table: {
    bootstraps: texts(EXAMPLE_BOOTSTRAP, bootstrapProblem),
    bootstrapsFile: path('bootstraps.txt'),
    network,
    cache: path('peers-cache.json'),
    target,
    refreshInterval: interval(REFRESH_INTERVAL_MS),
    ttl: number({ min: MIN_TTL_MS, max: MAX_TTL_MS, unit: 'ms', example: DEFAULT_TTL_MS }),
    register: toggle,
    timeout,
    onEvent: callback('(event) => console.log(event)'),
    resolveTxt: callback('async (name) => [`dnsaddr=…`]'),
    scheduler,
    random,
  },
  // `list` and `interval` are options of versions of @libp2p/bootstrap.
  otherNames: {
    list: 'bootstraps',
    peers: 'bootstraps',
    nodes: 'bootstraps',
    bootnodes: 'bootstraps',
    addresses: 'bootstraps',
    multiaddrs: 'bootstraps',
    file: 'bootstrapsFile',
    chain: 'network',
    namespace: 'network',
    topic: 'network',
    networkname: 'network',
    chainid: 'network',
    interval: 'refreshInterval',
    cachefile: 'cache',
    cachepath: 'cache',
  },
}

/** Throws a TypeError unless these are options of `bootstrapDiscovery` that suffice to find a peer. */
export function checkDiscoveryInit(init: BootstrapDiscoveryInit): void {
  checkOptions('bootstrapDiscovery', init, OPTIONS)
  const { bootstraps, bootstrapsFile, cache } = init
  // A cache alone is enough, where the bootstraps are gone or a cache was copied to the node.
  if ((bootstraps ?? []).length === 0 && bootstrapsFile === undefined && cache === undefined) {
    const given = bootstraps === undefined ? 'there are no bootstraps' : 'bootstraps is empty'
    refuse(
      'bootstrapDiscovery',
      `${given}, and there is neither bootstrapsFile nor cache, so it would never find a peer; write ` +
        `bootstraps: ['${EXAMPLE_BOOTSTRAP}'], or leave the module out of peerDiscovery`,
    )
  }
}

/** The options with their defaults. Those that have none are undefined where they were left out. */
export interface DiscoverySettings extends Required<Omit<BootstrapDiscoveryInit, keyof BootstrapSources | NoDefault>> {
  readonly sources: BootstrapSources
  readonly target: number | undefined
  readonly cache: string | undefined
  readonly onEvent: ((event: DiscoveryEvent) => void) | undefined
}

type NoDefault = 'target' | 'cache' | 'onEvent'

export function settingsOf(init: BootstrapDiscoveryInit): DiscoverySettings {
  return {
    sources: init,
    network: init.network ?? '',
    target: init.target,
    cache: init.cache,
    refreshInterval: init.refreshInterval ?? REFRESH_INTERVAL_MS,
    ttl: init.ttl ?? DEFAULT_TTL_MS,
    register: init.register ?? true,
    timeout: init.timeout ?? CALL_TIMEOUT_MS,
    onEvent: init.onEvent,
    resolveTxt: init.resolveTxt ?? systemResolveTxt,
    scheduler: init.scheduler ?? systemScheduler(),
    random: init.random ?? secureRandom(),
  }
}

/** The components of its node that it uses. */
export interface BootstrapDiscoveryComponents {
  readonly peerId: PeerId
  readonly peerStore: PeerStore
  readonly connectionManager: ConnectionManager
  readonly addressManager: AddressManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}
