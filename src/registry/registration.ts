import type { Scope } from '../peer/ip.ts'

/**
 * One address of one peer in one network: what is registered, stored and proved. The three together are its key.
 * Times are milliseconds since the epoch.
 */
export interface RegistrationKey {
  /** The chain it belongs to; `''` is the default network. At most 255 bytes of UTF-8. */
  readonly network: string
  /** The peer that owns it, base58btc (`12D3KooW…`, `Qm…`). */
  readonly peerId: string
  /** The canonical multiaddr without `/p2p`, such as `/ip4/203.0.113.7/tcp/4001`. */
  readonly address: string
}

/** What is remembered of a registration. It is what the store keeps and what a restart brings back. */
export interface RegistrationRecord extends RegistrationKey {
  /** When it was first registered. A renewal does not change it. */
  readonly registeredAt: number
  /** It is gone from this moment on. */
  readonly expiresAt: number
  /** When the peer last answered there with its own PeerId; 0 when it never did. */
  readonly provedAt: number
  /** The record that the peer signed of itself, byte for byte; empty when it registered one without a signature. */
  readonly envelope?: Uint8Array
}

/** What happened to the table. A store that remembers every change in order can bring the table back. */
export type Change =
  | { readonly kind: 'put'; readonly record: RegistrationRecord }
  | { readonly kind: 'remove'; readonly key: RegistrationKey }

/**
 * `unproven`: nobody answered there yet. `reachable`: the peer answered there, with its own PeerId, and has not missed
 * since. `failing`: it was reachable and missed; it is out of the answers until it answers again.
 */
export type Health = 'unproven' | 'reachable' | 'failing'

/** A living entry of the table. Only the registry writes to it. */
export interface Registration {
  readonly peer: RegisteredPeer
  /** The canonical multiaddr without `/p2p`. */
  readonly address: string
  readonly scope: Scope
  readonly registeredAt: number
  /** `Infinity` for the operator's own (static) entries. */
  readonly expiresAt: number
  readonly provedAt: number
  /** Since when it has answered without a miss; 0 when it does not. */
  readonly provedSince: number
  readonly health: Health
  /** Proofs missed in a row. */
  readonly misses: number
  /** Its peer has no other in the network. */
  readonly alone: boolean
  /** It only holds the place while its first proof runs: neither handed out nor stored. */
  readonly provisional: boolean
  /** When its next proof is due, in the count of the proof schedule, which alone writes to it. */
  dueAt: number
}

/** A peer in one network, with its registrations. */
export interface RegisteredPeer {
  readonly network: string
  readonly id: string
  readonly registrations: readonly Registration[]
}

/** An entry the operator wrote by hand. It never expires and no stranger changes it. */
export function isStatic(registration: Registration): boolean {
  return registration.expiresAt === Number.POSITIVE_INFINITY
}

export function keyOf(registration: Registration): RegistrationKey {
  return { network: registration.peer.network, peerId: registration.peer.id, address: registration.address }
}

export function recordOf(registration: Registration): RegistrationRecord {
  const { registeredAt, expiresAt, provedAt } = registration
  return { ...keyOf(registration), registeredAt, expiresAt, provedAt }
}

/** The key as one text, for a Map. No PeerId and no address has a line break in it. */
export function keyText(key: RegistrationKey): string {
  return `${key.peerId}\n${key.address}\n${key.network}`
}
