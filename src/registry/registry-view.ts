import type { Scope } from '../peer/ip.ts'
import type { ListedRegistration } from './network-table.ts'
import type { Occupancy } from './occupancy.ts'
import type { PeerRecords } from './peer-records.ts'
import type { Pool } from './pool.ts'
import type { RegisteredPeer, Registration, RegistrationKey, StaticEntry } from './registration.ts'
import type { SpareNetworks } from './spare-networks.ts'

/** The table of who is registered, to be looked at: nothing of it can be changed through here. */
export interface RegistryView {
  /** Registrations, the operator's included. */
  readonly size: number
  readonly peerCount: number
  readonly networkCount: number
  /** Registrations whose peer answered when it was last dialed there, and where no other peer has answered since. */
  readonly livingCount: number
  /** Registrations that may be handed out. One whose proof became too old counts until it is swept, 30 s at most. */
  readonly listedCount: number
  readonly statics: readonly StaticEntry[]
  readonly occupancy: Pick<Occupancy, 'count' | 'crowdAt'>
  readonly spareNetworks: Pick<SpareNetworks, 'isEmpty' | 'whoGivesWay'>
  readonly peerRecords: PeerRecordsView
  /** Peers of a network; 0 when there is no such network. */
  networkSize(network: string): number
  find(key: RegistrationKey): Registration | undefined
  peer(network: string, peerId: string): RegisteredPeer | undefined
  /** All registrations of a peer in a network, expired ones included until they are swept. */
  registrationsOf(network: string, peerId: string): readonly Registration[]
  /** The peers of a network; of all, without one. */
  peers(network: string | undefined): Iterable<RegisteredPeer>
  /** What may be handed out of a network, by scope. */
  pool(network: string, scope: Scope): Pool<ListedRegistration> | undefined
}

/** What peers of the rendezvous protocol say of themselves, to be looked at. */
export type PeerRecordsView = Pick<
  PeerRecords,
  'find' | 'version' | 'start' | 'nextSeq' | 'hasRoomFor' | 'usualForm' | 'read'
>
