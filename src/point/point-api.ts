import type { Caller } from '../peer/caller.ts'
import type { RecordFault, RecordForm, SignedRecord } from '../peer/record.ts'
import type { Refusal, RefusalCode } from '../policy/refusal.ts'

/**
 * A rendezvous point as frontends, worker processes and sibling bootstraps see it: plain values in and out, fit for a
 * structured clone. A refusal is a value; a method rejects only for a bug, and when its signal fires where it says so.
 * Times are ms, moments ms since the epoch.
 */
export interface PointApi {
  /**
   * Registers addresses of the caller in a network: admitted by the rules, dialed back, written to the store, in this
   * order. One outcome for each address, in their order. An address whose dial-back the signal cuts short is `pending`.
   * When the store takes no change nothing is registered, and each address that would have been is refused with
   * `unavailable`.
   */
  register(caller: Caller, request: RegisterRequest, signal: AbortSignal): Promise<readonly AddressOutcome[]>

  /** Removes addresses of the caller; without any, all that it has in the network. Removing what is not there succeeds. */
  unregister(caller: Caller, request: UnregisterRequest): Promise<readonly AddressOutcome[]>

  /** The peers to answer with: the caller first, when it is listed, then `limit` others at most. */
  discover(caller: Caller, query: DiscoverQuery): Promise<readonly AnswerPeer[]>

  /** As {@link register}, for the addresses that a record names; the record is handed out with them. */
  registerRecord(caller: Caller, request: RecordRequest, signal: AbortSignal): Promise<RecordOutcome>

  /** Which forms of records are registered in a network; of all networks without one. */
  recordForms(caller: Caller, network: string | undefined): Promise<RecordForms>

  /** One page of the records of a network; of all networks without one. */
  discoverRecords(caller: Caller, query: RecordQuery): Promise<RecordPage | RecordPageRefusal>

  /**
   * A caller that asked through a protocol without registration is a server of a network: registers it as
   * {@link register} does, for {@link LEARNED_TTL_MS}. Resolves when it is decided. For Kademlia.
   */
  learn(caller: Caller, request: LearnRequest): Promise<void>

  /**
   * Whether the caller answers at an address of its own, by a dial-back within the budget of newcomers. Changes
   * nothing. `dial_timeout` when the signal fires first. For AutoNAT.
   */
  proveCaller(caller: Caller, address: string, signal: AbortSignal): Promise<CallerProof>
}

/** How long a learned peer is listed without being seen again, ms. Kademlia has no renewals; dial-backs decide. */
export const LEARNED_TTL_MS = 24 * 3_600_000

export interface RegisterRequest {
  /** `''` is the default network. At most 255 bytes of UTF-8. */
  readonly network: string
  /** As the caller wrote them, not yet read. At most 8. */
  readonly addresses: readonly string[]
  /** 60,000 to 259,200,000. */
  readonly ttlMs: number
}

export type UnregisterRequest = Pick<RegisterRequest, 'network' | 'addresses'>
export type LearnRequest = Pick<RegisterRequest, 'network' | 'addresses'>

/** What became of one address. `requested` is the text as the caller wrote it, `address` the canonical multiaddr without `/p2p`. */
export type AddressOutcome =
  | {
      /** `pending`: registered, not dialed back yet; it is handed out once it answers. */
      readonly status: 'listed' | 'pending'
      readonly requested: string
      readonly address: string
      /** Whether it was registered before. */
      readonly renewed: boolean
      /** Undefined for an entry of the operator's, which has no end. */
      readonly expiresAt: number | undefined
    }
  | { readonly status: 'removed'; readonly requested: string; readonly address: string }
  | {
      readonly status: 'refused'
      readonly requested: string
      /** Undefined when the text is no address. */
      readonly address: string | undefined
      readonly refusal: Refusal
    }

export interface DiscoverQuery {
  readonly network: string
  /** The most peers, the caller not counted. */
  readonly limit: number
  /** The point stops once the addresses, with `/p2p`, have this many bytes: more does not fit into the answer. */
  readonly maxBytes: number
}

/** A peer to answer with. */
export interface AnswerPeer {
  /** base58btc. */
  readonly id: string
  /** Canonical multiaddrs without `/p2p`, those of the caller's address family first. At least one, at most 8. */
  readonly addresses: readonly string[]
  /** False when an address of it was not dialed back (a closed network that lists what registers). */
  readonly verified: boolean
}

/** What a peer says of itself without a signature. */
export interface UnsignedRecord {
  readonly form: 'unsigned'
  readonly peerId: string
  /** Multiaddrs as the peer wrote them. */
  readonly addresses: readonly string[]
}

/** The kind of records that a caller can read. */
export type ReadableForm = RecordForm | 'unsigned'

export interface RecordRequest {
  readonly network: string
  readonly record: SignedRecord | UnsignedRecord
  readonly ttlMs: number
}

export type RecordRefusal = RefusalCode | RecordFault | 'record_seq_not_rising'

export type RecordOutcome =
  /**
   * `ttlMs`: for how long, in whole seconds; not always what was asked, as a renewal that changes little leaves a
   * registration as it is. `withheld`: it names private addresses at which the caller is not seen, so it is not handed out
   * yet.
   */
  | { readonly status: 'listed'; readonly renewed: boolean; readonly ttlMs: number; readonly withheld: boolean }
  | { readonly status: 'pending' }
  | { readonly status: 'refused'; readonly code: RecordRefusal }

export interface RecordForms {
  /** The form that the caller registered in, in this network. */
  readonly own: ReadableForm | undefined
  /** The form that most signed records of the network have. */
  readonly usual: RecordForm
}

export interface RecordQuery {
  readonly network: string | undefined
  readonly form: ReadableForm
  /** Where the reader is; undefined begins. */
  readonly from: PagePosition | undefined
  readonly limit: number
  /** The point stops once envelopes, or addresses where there are none, have this many bytes. */
  readonly maxBytes: number
}

/** Where a reader of records is. It comes back in a cookie, so it may be made up. */
export type PagePosition =
  | { readonly upTo: number; readonly turn: number; readonly start: number; readonly offset: number }
  | { readonly upTo: number; readonly turn: undefined }

export interface RecordPage {
  readonly entries: readonly RecordEntry[]
  /** Behind the last entry. */
  readonly end: PagePosition
  /** Rows that were looked at, with those that are not for the caller. */
  readonly walked: number
}

export interface RecordEntry {
  readonly network: string
  /** base58btc. */
  readonly peerId: string
  /** Undefined for a caller that reads unsigned ones. */
  readonly envelope: Uint8Array | undefined
  /** Dialed back, and for this caller; canonical multiaddrs without `/p2p`. */
  readonly addresses: readonly string[]
  readonly ttlMs: number
  /** Behind this entry, for a page that is cut here. */
  readonly position: PagePosition
}

export interface RecordPageRefusal {
  readonly refused: 'network_not_served' | 'position_impossible'
}

export type CallerProof = { readonly ok: true } | { readonly ok: false; readonly refusal: Refusal }

/** The peers of the original's wire, which have no identity: kept apart, handed out only where they are asked for. */
export interface LegacyApi {
  /** Registers or renews an address once it accepts a connection. False when it is not taken. */
  register(caller: Caller, address: string): Promise<boolean>
  /** Canonical multiaddrs for this caller, those seen last first. */
  discover(caller: Caller, limit: number): Promise<readonly string[]>
}
