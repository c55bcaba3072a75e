import type { Scope } from '../peer/ip.ts'

/**
 * One address of one peer in one network: the unit that is registered, stored and proved. The three together are its
 * key. Times are ms since the epoch.
 */
export interface RegistrationKey {
  /** The chain that it belongs to; `''` is the default network. At most 255 bytes of UTF-8. */
  readonly network: string
  /** The peer that owns it, base58btc (`12D3KooW…`, `Qm…`). */
  readonly peerId: string
  /** The canonical multiaddr without `/p2p`, such as `/ip4/203.0.113.7/tcp/4001`. */
  readonly address: string
}

/** The stored part of a registration, which a restart restores. */
export interface RegistrationRecord extends RegistrationKey {
  /** When it was first registered. A renewal does not change it. */
  readonly registeredAt: number
  /** When it expires. */
  readonly expiresAt: number
  /** When the peer last answered there with its own PeerId; 0 when it never did. */
  readonly provedAt: number
  /** The record that the peer signed of itself, byte for byte; empty when it registered one without a signature. */
  readonly envelope?: Uint8Array
}

/** A change of the table. A store that keeps every change in order can restore the table. */
export type Change =
  | { readonly kind: 'put'; readonly record: RegistrationRecord }
  | { readonly kind: 'remove'; readonly key: RegistrationKey }

/**
 * `unproven`: the peer has not answered there yet. `reachable`: it answered there, with its own PeerId, and has not missed
 * since. `failing`: it was reachable, and then it missed, or another peer answered there, or its last proof became too
 * old; it is out of the answers until it answers again.
 */
export type Health = 'unproven' | 'reachable' | 'failing'

/** What a proof of life came to, as far as the table cares. */
export type ProofResult = 'answered' | 'missed'

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
  /**
   * Since when it has answered without a miss; 0 when it missed, or another peer answered there. A proof that became too
   * old does not change it.
   */
  readonly provedSince: number
  readonly health: Health
  /** Proofs missed in a row. */
  readonly misses: number
  /** Whether it is among those that may be handed out, while its proof is not too old. */
  readonly listed: boolean
  /** Its peer has no other address in the network. */
  readonly alone: boolean
  /** It only reserves room while its first proof runs: neither listed nor stored. */
  readonly provisional: boolean
  /** When its next proof is due, in the units of the proof schedule, which alone writes to it. */
  dueAt: number
  /** From when on a renewal is written without a debt, ms since the epoch. Only `point/renewal` writes to it. */
  writableAt: number
}

/** A peer in one network, with its registrations. */
export interface RegisteredPeer {
  readonly network: string
  readonly id: string
  readonly registrations: readonly Registration[]
}

/** An entry that the operator wrote by hand. It never expires and no remote peer can change it. */
export function isStatic(registration: Registration): boolean {
  return registration.expiresAt === Number.POSITIVE_INFINITY
}

export function keyOf(registration: Registration): RegistrationKey {
  return { network: registration.peer.network, peerId: registration.peer.id, address: registration.address }
}

/** A key as one text, for a Map. No PeerId and no address has a line break in it. */
export function keyText({ network, peerId, address }: RegistrationKey): string {
  return `${peerId}\n${address}\n${network}`
}

export function removeChange(registration: Registration): Change {
  return { kind: 'remove', key: keyOf(registration) }
}

export function recordOf(registration: Registration): RegistrationRecord {
  const { registeredAt, expiresAt, provedAt } = registration
  return { ...keyOf(registration), registeredAt, expiresAt, provedAt }
}

/**
 * An entry of `peers.json` without an expiry: the operator's own, written by hand or by the original program. It is
 * kept as it was read, whatever it holds, and no stranger can change it.
 */
export interface StaticEntry {
  /** The JSON value as it stood in the file. */
  readonly json: unknown
  /** What could be made of it; undefined when it names no address that can be served (it is kept all the same). */
  readonly registration: StaticRegistration | undefined
}

export interface StaticRegistration {
  readonly network: string
  /** The canonical multiaddr without `/p2p`. */
  readonly address: string
  /** Undefined when the entry names none: the node that answers there will tell. */
  readonly peerId: string | undefined
}

/** How many of `entries` are not among `others`. */
export function countNew(entries: readonly StaticEntry[], others: readonly StaticEntry[]): number {
  const known = new Set(others.map(({ json }) => JSON.stringify(json)))
  return entries.filter(({ json }) => !known.has(JSON.stringify(json))).length
}
