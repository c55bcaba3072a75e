import { parseAddress } from '../peer/address.ts'
import { networkGroupOf, type Scope, scopeOf } from '../peer/ip.ts'
import { type Group, GroupSet, type Seated } from './group-set.ts'
import type { Health, RegisteredPeer, Registration, RegistrationKey } from './registration.ts'

/** The listed registrations of one scope. Those that have answered for long sit apart, so that most can come from them. */
export interface Pool {
  readonly ripe: GroupSet<ListedRegistration>
  readonly fresh: GroupSet<ListedRegistration>
}

/** A registration with the room to sit in a pool. */
export interface ListedRegistration extends Registration, Seated<ListedRegistration> {}

/** The peers of one network, and who of them may be handed out. Written to by the registry alone. */
export class NetworkTable {
  readonly name: string
  readonly peers = new Map<string, PeerEntry>()
  readonly #pools = new Map<Scope, Pool>()

  constructor(name: string) {
    this.name = name
  }

  pool(scope: Scope): Pool | undefined {
    return this.#pools.get(scope)
  }

  find(peerId: string, address: string): RegistrationEntry | undefined {
    return this.peers.get(peerId)?.registrations.find((registration) => registration.address === address)
  }

  add(key: RegistrationKey, times: Pick<Registration, 'registeredAt' | 'expiresAt'>): RegistrationEntry {
    let peer = this.peers.get(key.peerId)
    if (peer === undefined) {
      peer = { network: this.name, id: key.peerId, registrations: [] }
      this.peers.set(key.peerId, peer)
    }
    const entry = new RegistrationEntry(peer, key.address, times.registeredAt, times.expiresAt)
    peer.registrations.push(entry)
    return entry
  }

  remove(entry: RegistrationEntry): void {
    this.unlist(entry)
    const { registrations, id } = entry.peer
    registrations.splice(registrations.indexOf(entry), 1)
    if (registrations.length === 0) {
      this.peers.delete(id)
    }
  }

  /** Puts an entry among those that are handed out, or moves it to the other half of its pool. */
  list(entry: RegistrationEntry, half: keyof Pool): void {
    let pool = this.#pools.get(entry.scope)
    if (pool === undefined) {
      pool = { ripe: new GroupSet(), fresh: new GroupSet() }
      this.#pools.set(entry.scope, pool)
    }
    if (entry.group?.set === pool[half]) {
      return
    }
    this.unlist(entry)
    pool[half].add(entry, groupKeyOf(entry))
  }

  unlist(entry: RegistrationEntry): void {
    entry.group?.set.remove(entry)
  }
}

interface PeerEntry extends RegisteredPeer {
  readonly registrations: RegistrationEntry[]
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
  group: Group<ListedRegistration> | undefined = undefined
  position = 0

  constructor(peer: PeerEntry, address: string, registeredAt: number, expiresAt: number) {
    this.peer = peer
    this.address = address
    this.registeredAt = registeredAt
    this.expiresAt = expiresAt
    this.scope = scopeOf(ipOf(address))
  }
}

/** Only the public internet has network groups: a private range is one neighbourhood. */
function groupKeyOf(entry: RegistrationEntry): string {
  return entry.scope === 'public' ? networkGroupOf(ipOf(entry.address)) : entry.scope
}

function ipOf(address: string) {
  const parsed = parseAddress(address)
  if (typeof parsed === 'string' || parsed.address === undefined) {
    throw new Error(`the registry was given an address that is not one: ${address}`)
  }
  return parsed.address.ip
}
