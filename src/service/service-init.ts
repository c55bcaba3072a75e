import type { ComponentLogger, PeerId, PrivateKey, Upgrader } from '@libp2p/interface'
import type { AddressManager, Registrar } from '@libp2p/interface-internal'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { IdentifiedComponents } from '../host/identified.ts'
import type { Disabled } from '../host/switches.ts'
import type { ListEdit, Store, StoreState } from '../store/store.ts'

/** Settings of the service. All have defaults; a bare `bootstrapService()` keeps its list in memory. */
export interface BootstrapServiceInit {
  /** Path of the list of known peers; without it the list is in memory. */
  readonly file?: string
  /**
   * Take the list in `file` as it was edited while no node ran, also where it leaves out more than half of at least 20
   * registrations. Default false: those are kept, and the edit is left alone.
   */
  readonly acceptEdit?: boolean
  /** A store of your own, instead of `file`. */
  readonly store?: Store
  /** Serve only these networks. Default: any. */
  readonly networks?: readonly string[]
  /** The most registrations, over all networks. Default {@link MAX_PEERS}: under a kilobyte each. */
  readonly maxPeers?: number
  /** The most peers of one network, so that none shuts out the others. Default {@link MAX_PEERS_PER_NETWORK}. */
  readonly maxPeersPerNetwork?: number
  /** The most networks at a time. Default {@link MAX_NETWORKS}. */
  readonly maxNetworks?: number
  /** Who is handed out: what was reached at its address (the default), or whatever registered. */
  readonly listing?: 'verified' | 'registered'
  /**
   * How long after its last dial-back a listed address is dialed again, on average, ms: from a third of it for a peer that
   * has answered for minutes to 1.2 times it for one that has for half a day. What was not reached for 4/3 of it is not
   * handed out. Default {@link REPROVE_INTERVAL_MS}.
   */
  readonly reproveInterval?: number
  /**
   * How much CPU the dial-backs of listed addresses may take, percent of a core. Where that is too little for the table, its
   * peers take turns in the answers. Default {@link PROOF_CPU_PERCENT}.
   */
  readonly proofCpuPercent?: number
  /** PeerIds, IPs and IP ranges that are never listed. */
  readonly deny?: readonly string[]
  /** PeerIds, IPs and IP ranges; when there is one, only these are listed. */
  readonly allow?: readonly string[]
  /** Closed networks only: take addresses at other IPs than the caller's. Default false. */
  readonly allowForeignIp?: boolean
  /** Closed networks only: take private addresses from callers of other ranges. Default false. */
  readonly allowPrivateIp?: boolean
  /** Closed networks only: no limits by IP and the network around it. Default false. */
  readonly unlimitedNeighbours?: boolean
  /**
   * Multiaddrs with `/p2p` of this operator's other bootstraps: clients that spoke to them remember them. At most 8. The
   * node's own is left out, so that all of them can have one list.
   */
  readonly siblings?: readonly string[]
  /** Serve libp2p's own `/rendezvous/1.0.0` on the same list. Default true. */
  readonly rendezvous?: boolean
  /**
   * Of these, the optimizations are left out of the handshakes of dial-backs. `loopShare` counts here only in a node
   * without the guard: with it, the guard's share is taken, or none. Default: none.
   */
  readonly disable?: Disabled
  /** Port for the raw TCP wire of the original program; 0 is any. Default: not served. */
  readonly legacyTcp?: number
  /** For tests: the time. Default: the system's. */
  readonly clock?: Clock
  /** For tests: numbers from 0 to 1. Default: the system's. */
  readonly random?: Random
}

/** What the service uses of the node it runs in. */
export interface BootstrapServiceComponents extends IdentifiedComponents {
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  readonly registrar: Registrar
  readonly addressManager: AddressManager
  readonly upgrader: Upgrader
  readonly logger: ComponentLogger
  /** The service of that name, where there is one. libp2p throws when it is read and there is none. */
  readonly guard?: unknown
}

/** Each event with its detail. */
export interface BootstrapServiceEvents {
  /** Something the operator should know, in plain words. */
  warning: CustomEvent<{ readonly message: string }>
  /** The list was found edited by hand, at the start or at a snapshot, and was taken in or not. */
  edited: CustomEvent<ListEdit>
  /** The store began to fail, or works again. */
  store: CustomEvent<StoreState>
  /** An address was registered that was not there before, and it is on disk. A renewal and a restart have no event. */
  registered: CustomEvent<{ readonly network: string; readonly peerId: string; readonly address: string }>
  /** A registration's time was over. */
  expired: CustomEvent<{ readonly network: string; readonly peerId: string; readonly address: string }>
}

/** The default of what scales the intervals between proofs: 5 to 18 minutes. A proof counts for 20 minutes. */
export const REPROVE_INTERVAL_MS = 15 * 60_000
/** Half a core: some 330 dial-backs a second, for 300,000 registrations. */
export const PROOF_CPU_PERCENT = 50
export const MAX_PEERS = 250_000
export const MAX_PEERS_PER_NETWORK = 200_000
export const MAX_NETWORKS = 1000
