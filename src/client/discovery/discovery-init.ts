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
import type { Random } from '../../base/random.ts'
import { MAX_TTL_S, MIN_TTL_S } from '../../wire/bootstrap-codec.ts'
import { bootstrapProblem, EXAMPLE_BOOTSTRAP } from '../bootstrap-address.ts'
import type { Scheduler } from '../scheduler.ts'
import { interval, network, random, scheduler, target, timeout } from '../shared-options.ts'
import type { BootstrapSources } from './bootstrap-list.ts'
import type { SessionClient } from './bootstrap-session.ts'
import type { DiscoveryEvent } from './discovery-events.ts'
import type { ResolveTxt } from './dnsaddr.ts'

/** How often each bootstrap is asked by a node that has its peers, ms, ± 20 %. */
export const REFRESH_INTERVAL_MS = 5 * 60_000
/** How long a registration lasts unless it is renewed, seconds: the libp2p rendezvous specification's default. */
export const TTL_S = 7200

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
  /** How long a registration lasts unless it is renewed, seconds: 60 to 259,200. Default {@link TTL_S}. */
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
  /** For tests: how a bootstrap at these addresses is spoken to. Default: over libp2p. */
  readonly connect?: (addresses: readonly string[]) => SessionClient
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
    ttl: number({ min: MIN_TTL_S, max: MAX_TTL_S, unit: 's', example: TTL_S }),
    register: toggle,
    timeout,
    onEvent: callback('(event) => console.log(event)'),
    resolveTxt: callback('async (name) => [`dnsaddr=…`]'),
    scheduler,
    random,
    connect: callback('(addresses) => new BootstrapClient(node, addresses)'),
  },
  // `list` and `interval` are those of @libp2p/bootstrap, of other versions too.
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

/** Throws a TypeError unless `bootstrapDiscovery` can do with these options. */
export function checkDiscoveryInit(init: BootstrapDiscoveryInit): void {
  checkOptions('bootstrapDiscovery', init, OPTIONS)
  const { bootstraps, bootstrapsFile, cache } = init
  // A cache alone is enough: of a node whose bootstraps are gone, or that was handed a cache.
  if ((bootstraps ?? []).length === 0 && bootstrapsFile === undefined && cache === undefined) {
    const given = bootstraps === undefined ? 'there are no bootstraps' : 'bootstraps is empty'
    refuse(
      'bootstrapDiscovery',
      `${given}, and there is neither bootstrapsFile nor cache, so it would never find a peer; write ` +
        `bootstraps: ['${EXAMPLE_BOOTSTRAP}'], or leave the module out of peerDiscovery`,
    )
  }
}

/** What it uses of the node it runs in. */
export interface BootstrapDiscoveryComponents {
  readonly peerId: PeerId
  readonly peerStore: PeerStore
  readonly connectionManager: ConnectionManager
  readonly addressManager: AddressManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}
