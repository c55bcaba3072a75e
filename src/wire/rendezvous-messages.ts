/**
 * The messages of the libp2p rendezvous protocol as values, and how large they may be: libp2p/specs
 * `rendezvous/README.md` (r3, 2021-07-12).
 */

/** The protocol's name on the wire. */
export const RENDEZVOUS_PROTOCOL = '/rendezvous/1.0.0'

/** The most bytes of a request, its length prefix not counted: a namespace, a record, and room for what is new. */
export const MAX_REQUEST_BYTES = 8192
/** The most bytes of any message. rust-libp2p's codec has the same. */
export const MAX_MESSAGE_BYTES = 1024 * 1024
/** The most bytes of a cookie. Ours have 40; rust-libp2p's are 8 and the namespace. */
export const MAX_COOKIE_BYTES = 512

/** The statuses of the specification, with their numbers. */
export const STATUS = {
  OK: 0,
  E_INVALID_NAMESPACE: 100,
  E_INVALID_SIGNED_PEER_RECORD: 101,
  E_INVALID_TTL: 102,
  E_INVALID_COOKIE: 103,
  E_NOT_AUTHORIZED: 200,
  E_INTERNAL_ERROR: 300,
  E_UNAVAILABLE: 400,
} as const
export type Status = keyof typeof STATUS

/** A member is undefined when the message does not have it. Numbers beyond 2^53 - 1 on the wire read as that. */
export interface Register {
  readonly ns: string | undefined
  readonly signedPeerRecord: Uint8Array | undefined
  /** Whole seconds on the wire. */
  readonly ttlMs: number | undefined
}

export interface RegisterResponse {
  readonly status: Status
  readonly statusText: string | undefined
  /** Whole seconds on the wire. */
  readonly ttlMs: number | undefined
}

export interface Unregister {
  readonly ns: string | undefined
}

export interface Discover {
  readonly ns: string | undefined
  readonly limit: number | undefined
  readonly cookie: Uint8Array | undefined
}

export interface DiscoverResponse {
  readonly registrations: readonly Register[]
  readonly cookie: Uint8Array | undefined
  readonly status: Status
  readonly statusText: string | undefined
}

export type RendezvousMessage =
  | ({ readonly type: 'REGISTER' } & Register)
  | ({ readonly type: 'REGISTER_RESPONSE' } & RegisterResponse)
  | ({ readonly type: 'UNREGISTER' } & Unregister)
  | ({ readonly type: 'DISCOVER' } & Discover)
  | ({ readonly type: 'DISCOVER_RESPONSE' } & DiscoverResponse)
export type MessageType = RendezvousMessage['type']

/** Why bytes are no message, and of which type it would have been, where that can be seen. */
export interface MessageFault {
  readonly fault: FaultCode
  readonly type: MessageType | undefined
}

export type FaultCode =
  /** Longer than a message may be. */
  | 'message_too_long'
  /** Not Protocol Buffers, or cut short. */
  | 'not_protobuf'
  /** Of an unknown type, or without the part that its type requires. */
  | 'message_incomplete'
  /** Longer than {@link MAX_NETWORK_BYTES}, or not UTF-8. */
  | 'namespace_invalid'
  /** Longer than {@link MAX_ENVELOPE_BYTES}. */
  | 'record_too_long'
  /** Longer than {@link MAX_COOKIE_BYTES}. */
  | 'cookie_too_long'
  /** More than {@link MAX_LIMIT}. */
  | 'too_many_registrations'
