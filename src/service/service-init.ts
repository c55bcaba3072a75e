// Types of the service: its options, what it uses of its node, its events. The defaults are in settings.ts.

import type { ComponentLogger, Metrics, PeerId, PrivateKey, Upgrader } from '@libp2p/interface'
import type { AddressManager, Registrar } from '@libp2p/interface-internal'
import type { IdentifiedComponents } from '../host/identified.ts'
import type { Disabled } from '../host/switches.ts'
import type { ListEdit, Store, StoreState } from '../store/store.ts'

/** Options of the service. All have defaults: `bootstrapService()` keeps its list in memory. */
export interface BootstrapServiceInit {
  /** Path of the list of known peers; without it the list is in memory. */
  readonly file?: string
  /**
   * Accept an edit of `file` that was made while no node ran, also one that leaves out more than half of at least 20
   * registrations. Default false: such an edit is not read, and the registrations stay.
   */
  readonly acceptEdit?: boolean
  /** A store of your own, instead of `file`: one of the two. */
  readonly store?: Store
  /** Serve only these networks. Default: any. */
  readonly networks?: readonly string[]
  /** The most registrations over all networks, 1 to 10,000,000. Default {@link MAX_PEERS}: under a kilobyte each. */
  readonly maxPeers?: number
  /** The most peers of one network, 1 to 10,000,000, so that none crowds out the others. Default {@link MAX_PEERS_PER_NETWORK}. */
  readonly maxPeersPerNetwork?: number
  /** The most networks at a time, 1 to 1,000,000. Default {@link MAX_NETWORKS}. */
  readonly maxNetworks?: number
  /** Which addresses are listed: those that a dial-back reached (the default), or all that registered. */
  readonly listing?: 'verified' | 'registered'
  /**
   * How long after its last dial-back a listed address is dialed again, on average, ms: 1000 to 604,800,000. A peer that has
   * answered for minutes is dialed after a third of it, one that has for half a day after 1.2 times it. A peer that was not
   * reached for 4/3 of it is not listed. Default {@link REPROVE_INTERVAL_MS}.
   */
  readonly reproveInterval?: number
  /**
   * How much CPU the dial-backs of listed addresses may take, percent of a core, 1 to 400. Where that is too little for the table, its
   * peers take turns in the answers. Default {@link PROOF_CPU_PERCENT}.
   */
  readonly proofCpuPercent?: number
  /** PeerIds, IPs and IP ranges that are never listed. */
  readonly deny?: readonly string[]
  /** PeerIds, IPs and IP ranges; when there is one, only these are listed. */
  readonly allow?: readonly string[]
  /** Closed networks only: accept addresses at other IPs than the caller's. Default false. */
  readonly allowForeignIp?: boolean
  /** Closed networks only: accept private addresses of callers in other ranges. Default false. */
  readonly allowPrivateIp?: boolean
  /** Closed networks only: no limits by IP and subnet. Default false. */
  readonly unlimitedNeighbours?: boolean
  /**
   * Multiaddrs with `/p2p` of this operator's other bootstraps, at most 8; clients that ask this one remember them. The
   * node's own address is left out, so that all bootstraps can have the same list.
   */
  readonly siblings?: readonly string[]
  /** Serve libp2p's own `/rendezvous/1.0.0` on the same list. Default true. */
  readonly rendezvous?: boolean
  /**
   * Optimizations to disable in the handshakes of dial-backs, and `loopShare` in a node without the guard; in a guarded
   * node the guard has the share. Default: none.
   */
  readonly disable?: Disabled
  /** Port for the raw TCP wire of the original program, 0 to 65,535; 0 is any. Default: not served. */
  readonly legacyTcp?: number
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
  /** Where the host keeps metrics, the service's are among them. */
  readonly metrics?: Metrics | undefined
}

/** Each event with its detail. */
export interface BootstrapServiceEvents {
  /** Something that the operator should act on. */
  warning: CustomEvent<{ readonly message: string }>
  /** The list was found edited by hand, at the start or at a snapshot; `outcome` says whether the edit was accepted. */
  edited: CustomEvent<ListEdit>
  /** The store began to fail, or has recovered. */
  store: CustomEvent<StoreState>
  /** An address was registered that was not there before, and it is on disk. A renewal and a restart have no event. */
  registered: CustomEvent<{ readonly network: string; readonly peerId: string; readonly address: string }>
  /** A registration gave way to another one, in a full subnet or with its network: its peer is told at its next renewal. */
  evicted: CustomEvent<{ readonly network: string; readonly peerId: string; readonly address: string }>
  /** A registration expired. */
  expired: CustomEvent<{ readonly network: string; readonly peerId: string; readonly address: string }>
}
