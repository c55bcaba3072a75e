// The peers of one network, and which of them are listed.

import { ipOf } from '../peer/address.ts'
import { networkGroupOf, type Scope, scopeOf } from '../peer/ip.ts'
import { type Age, type Group, Pool, type Pooled } from './pool.ts'
import type {
  Health,
  ProofResult,
  RegisteredPeer,
  Registration,
  RegistrationKey,
  RegistrationRecord,
} from './registration.ts'

/** A registration with what it needs to be in a pool. */
export interface ListedRegistration extends Registration, Pooled<ListedRegistration> {}

/** The peers of one network, and which of them are listed. Only the registry writes to it. */
export class NetworkTable {
  readonly name: string
  readonly peers = new Map<string, PeerEntry>()
  /** Peers with a listed registration. */
  listedPeers = 0
  readonly #pools = new Map<Scope, Pool<ListedRegistration>>()

  readonly #onRelisted: (peer: RegisteredPeer) => void

  /** @param onRelisted is called when a registration of a peer became listed, or no longer is. */
  constructor(name: string, onRelisted: (peer: RegisteredPeer) => void) {
    this.name = name
    this.#onRelisted = onRelisted
  }

  /** The listed registrations of one scope. */
  pool(scope: Scope): Pool<ListedRegistration> | undefined {
    return this.#pools.get(scope)
  }

  find(peerId: string, address: string): RegistrationEntry | undefined {
    return this.peers.get(peerId)?.registrations.find((registration) => registration.address === address)
  }

  add(key: RegistrationKey, times: Pick<Registration, 'registeredAt' | 'expiresAt'>): RegistrationEntry {
    let peer = this.peers.get(key.peerId)
    if (peer === undefined) {
      const id = compact(key.peerId)
      peer = { network: this.name, id, registrations: [] }
      this.peers.set(id, peer)
    }
    const entry = new RegistrationEntry(peer, compact(key.address), times.registeredAt, times.expiresAt)
    setRegistrations(peer, peer.registrations.concat(entry))
    return entry
  }

  remove(entry: RegistrationEntry): void {
    this.unlist(entry)
    const { peer } = entry
    setRegistrations(peer, peer.registrations.toSpliced(peer.registrations.indexOf(entry), 1))
    if (peer.registrations.length === 0) {
      this.peers.delete(peer.id)
    }
  }

  /** Adds an entry to those that are listed, or moves it to the other age in its group. */
  list(entry: RegistrationEntry, age: Age): void {
    let pool = this.#pools.get(entry.scope)
    if (pool === undefined) {
      pool = new Pool()
      this.#pools.set(entry.scope, pool)
    }
    if (!entry.peer.registrations.some(isListed)) {
      this.listedPeers++
    }
    pool.put(entry, groupKeyOf(entry), age)
    this.#onRelisted(entry.peer)
  }

  unlist(entry: RegistrationEntry): void {
    if (!isListed(entry)) {
      return
    }
    this.#pools.get(entry.scope)?.remove(entry)
    if (!entry.peer.registrations.some(isListed)) {
      this.listedPeers--
    }
    this.#onRelisted(entry.peer)
  }
}

function isListed({ group }: RegistrationEntry): boolean {
  return group !== undefined
}

interface PeerEntry extends RegisteredPeer {
  /** Replaced, not changed: an iterator keeps the array that it had. An array that is pushed to takes room for 17. */
  registrations: readonly RegistrationEntry[]
}

function setRegistrations(peer: PeerEntry, registrations: readonly RegistrationEntry[]): void {
  peer.registrations = registrations
  for (const each of registrations) {
    each.alone = registrations.length === 1
  }
}

/** One registration as the registry holds it. A class, so that a million of them share one shape. */
export class RegistrationEntry implements ListedRegistration {
  readonly peer: PeerEntry
  readonly address: string
  readonly scope: Scope
  registeredAt: number
  expiresAt: number
  provedAt = 0
  provedSince = 0
  health: Health = 'unproven'
  misses = 0
  provisional = false
  /** As {@link Liveness} counted it last; only that writes to it. */
  isLiving = false
  alone = true
  dueAt = 0
  writableAt = 0
  age: Age = 'recent'
  group: Group<ListedRegistration> | undefined = undefined
  position = 0

  constructor(peer: PeerEntry, address: string, registeredAt: number, expiresAt: number) {
    this.peer = peer
    this.address = address
    this.registeredAt = registeredAt
    this.expiresAt = expiresAt
    this.scope = scopeOf(ipOf(address))
  }

  get listed(): boolean {
    return this.group !== undefined
  }

  recordProof(result: ProofResult, now: number): void {
    if (result === 'answered') {
      this.provedSince = this.provedSince !== 0 ? this.provedSince : now
      this.provedAt = now
      this.health = 'reachable'
      this.misses = 0
    } else {
      this.provedSince = 0
      this.misses++
      this.health = this.health === 'unproven' ? 'unproven' : 'failing'
    }
  }

  /** Takes in when it was proved before a restart; `isCurrent` when that still counts. */
  restoreProof({ provedAt, registeredAt }: RegistrationRecord, isCurrent: boolean): void {
    this.provedAt = provedAt
    // A store does not keep since when: what was proved a moment ago had been there since it registered, or been given up.
    this.provedSince = isCurrent ? registeredAt : 0
    this.health = isCurrent ? 'reachable' : 'failing'
  }

  /** Its last proof is too old. That was not the peer's fault: it is as old as before once it answers. */
  lapse(): void {
    this.health = 'failing'
  }

  /** Another peer answered at its address. */
  fail(): void {
    this.health = 'failing'
    this.provedSince = 0
  }
}

/**
 * Returns the same text in one piece. V8 keeps a slice of a line of a file, or a concatenation, with all its parts:
 * twice the memory, for as long as the registration lives, and slower to write into an answer.
 */
function compact(ascii: string): string {
  return Buffer.from(ascii, 'latin1').toString('latin1')
}

/** Only the public internet has network groups: a private range counts as one. */
function groupKeyOf(entry: RegistrationEntry): string {
  return entry.scope === 'public' ? networkGroupOf(ipOf(entry.address)) : entry.scope
}
