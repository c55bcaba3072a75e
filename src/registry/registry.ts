// Above 250 lines because each write keeps networks, pools, counts and records in step: all of them are private to it.
import type { Scope } from '../peer/ip.ts'
import { type ListedRegistration, NetworkTable, type RegistrationEntry } from './network-table.ts'
import { Occupancy } from './occupancy.ts'
import { PeerRecords } from './peer-records.ts'
import type { Pool } from './pool.ts'
import {
  type Change,
  isStatic,
  type ProofResult,
  type RegisteredPeer,
  type Registration,
  type RegistrationKey,
  type RegistrationRecord,
  recordOf,
  type StaticEntry,
} from './registration.ts'
import type { RegistryView } from './registry-view.ts'

/**
 * How long a peer must have answered without a miss to count as long proven: outliving a day costs an attacker what
 * the crowd of a moment does not. Bitcoin's seeder and CometBFT's seeds prefer the old for the same reason.
 */
export const ESTABLISHED_AFTER_MS = 24 * 3_600_000

export interface RegistryInit {
  /**
   * `verified`: only what answered is handed out. `registered`: whatever registered is, for closed networks whose
   * bootstrap can't dial back.
   */
  readonly listing: 'verified' | 'registered'
}

/**
 * The table of what is registered. Synchronous, without clock, chance or I/O; every write returns the change to
 * remember. Adding, renewing, removing and finding cost the same with ten entries as with a million.
 */
export class Registry implements RegistryView {
  readonly #networks = new Map<string, NetworkTable>()
  readonly #listing: RegistryInit['listing']
  readonly occupancy = new Occupancy()
  /** What peers of the rendezvous protocol say of themselves. */
  readonly peerRecords = new PeerRecords()
  #statics: readonly StaticEntry[] = []
  #sweep: Iterator<RegistrationEntry> | undefined
  #registrations = 0
  #peers = 0

  constructor({ listing }: RegistryInit) {
    this.#listing = listing
  }

  /** Registrations, the operator's included. */
  get size(): number {
    return this.#registrations
  }

  get peerCount(): number {
    return this.#peers
  }

  get networkCount(): number {
    return this.#networks.size
  }

  /** Peers of a network; 0 when there is no such network. */
  networkSize(network: string): number {
    return this.#networks.get(network)?.peers.size ?? 0
  }

  get statics(): readonly StaticEntry[] {
    return this.#statics
  }

  find(key: RegistrationKey): Registration | undefined {
    return this.#networks.get(key.network)?.find(key.peerId, key.address)
  }

  peer(network: string, peerId: string): RegisteredPeer | undefined {
    return this.#networks.get(network)?.peers.get(peerId)
  }

  /** All registrations of a peer in a network, expired ones included until they are swept. */
  registrationsOf(network: string, peerId: string): readonly Registration[] {
    return this.peer(network, peerId)?.registrations ?? []
  }

  /** Who may be handed out of a network, by scope. */
  pool(network: string, scope: Scope): Pool<ListedRegistration> | undefined {
    return this.#networks.get(network)?.pool(scope)
  }

  /**
   * Holds a place for a registration while its proof runs, so that those who come meanwhile find it counted. Nobody is
   * handed it and no store keeps it until {@link put} makes it real.
   */
  reserve(key: RegistrationKey, times: { readonly now: number; readonly expiresAt: number }): Registration {
    return this.#add(key, { registeredAt: times.now, expiresAt: times.expiresAt }, true)
  }

  /** Adds a registration, or renews the one that has its key. An operator's entry stays as it is. */
  put(key: RegistrationKey, times: { readonly now: number; readonly expiresAt: number }): Registration {
    const known = this.#networks.get(key.network)?.find(key.peerId, key.address)
    if (known !== undefined) {
      if (!isStatic(known)) {
        known.expiresAt = times.expiresAt
      }
      if (known.provisional) {
        known.provisional = false
        // A list that was begun before this moment does not have it.
        known.registeredAt = times.now
        this.#relist(known)
      }
      return known
    }
    return this.#add(key, { registeredAt: times.now, expiresAt: times.expiresAt })
  }

  /** Takes a registration out. False when it was gone already. */
  remove(registration: Registration): boolean {
    const entry = registration as RegistrationEntry
    const table = this.#networks.get(entry.peer.network)
    if (table?.find(entry.peer.id, entry.address) !== entry) {
      return false
    }
    table.remove(entry)
    this.occupancy.remove(entry)
    this.#registrations--
    if (entry.peer.registrations.length === 0) {
      this.peerRecords.delete(entry.peer)
      this.#peers--
      if (table.peers.size === 0) {
        this.#networks.delete(table.name)
      }
    }
    return true
  }

  /** Records that a peer answered at its address, or missed. */
  recordProof(registration: Registration, result: ProofResult, now: number): void {
    const entry = registration as RegistrationEntry
    entry.recordProof(result, now)
    this.#relist(entry)
  }

  /**
   * Looks at the next `budget` registrations; call after call it comes round to all of them. Removes those whose time
   * is over, and takes out of the answers those whose last proof is older than `provedBefore`. Returns the removed.
   */
  expire(now: number, provedBefore: number, budget: number): Registration[] {
    const expired: Registration[] = []
    for (let i = 0; i < budget; i++) {
      this.#sweep ??= this.#entries()
      const { value: entry } = this.#sweep.next()
      if (entry === undefined) {
        this.#sweep = undefined
        break
      }
      if (entry.expiresAt <= now && this.remove(entry)) {
        expired.push(entry)
      } else if (entry.health === 'reachable' && entry.provedAt < provedBefore) {
        entry.fail()
        this.#relist(entry)
      }
    }
    return expired
  }

  /**
   * Brings back what a store kept. It may be handed out at once when it was proved at `provedBefore` or later; what was
   * proved before that has to answer again.
   */
  restore(record: RegistrationRecord, provedBefore: number): Registration {
    const entry = this.#networks.get(record.network)?.find(record.peerId, record.address) ?? this.#add(record, record)
    if (!isStatic(entry) && record.provedAt > 0) {
      entry.restoreProof(record, record.provedAt >= provedBefore)
      this.#relist(entry)
    }
    if (record.envelope !== undefined) {
      this.peerRecords.restore(entry.peer, record.envelope)
    }
    return entry
  }

  /** Replaces the operator's entries. Those that name a peer and an address become registrations without an end. */
  setStatics(statics: readonly StaticEntry[], now: number): void {
    const stale = new Set<Registration>()
    for (const entry of this.#entries()) {
      if (isStatic(entry)) {
        stale.add(entry)
      }
    }
    this.#statics = statics
    for (const { registration } of statics) {
      if (registration?.peerId !== undefined) {
        const { network, peerId, address } = registration
        stale.delete(this.identify({ network, peerId, address }, now))
      }
    }
    for (const entry of stale) {
      this.remove(entry)
    }
  }

  /** Makes an operator's entry of a peer: its PeerId stood in the file, or it answered there. */
  identify(key: RegistrationKey, now: number): Registration {
    return this.put(key, { now, expiresAt: Number.POSITIVE_INFINITY })
  }

  /** The peers of a network; of all, without one. As {@link all}. */
  *peers(network: string | undefined): Iterable<RegisteredPeer> {
    const tables = network === undefined ? this.#networks.values() : [this.#networks.get(network)]
    for (const table of tables) {
      yield* table?.peers.values() ?? []
    }
  }

  /** Every registration, in no order. Stays valid while the table changes: what is there throughout comes once. */
  all(): Iterable<Registration> {
    return this.#entries()
  }

  /**
   * What a store should keep: all but the operator's entries, which are kept as they were written, and those that are
   * not answered for yet.
   */
  *records(): Iterable<RegistrationRecord> {
    for (const entry of this.#entries()) {
      if (!isStatic(entry) && !entry.provisional) {
        yield this.recordOf(entry)
      }
    }
  }

  /** What a store should keep of a registration: what the peer says of itself belongs to each. */
  recordOf(registration: Registration): RegistrationRecord {
    const envelope = this.peerRecords.envelopeOf(registration.peer)
    return envelope === undefined ? recordOf(registration) : { ...recordOf(registration), envelope }
  }

  /** The change that brings a registration as it is now into a store. */
  putChange(registration: Registration): Change {
    return { kind: 'put', record: this.recordOf(registration) }
  }

  #add(
    key: RegistrationKey,
    times: Pick<Registration, 'registeredAt' | 'expiresAt'>,
    provisional = false,
  ): RegistrationEntry {
    let table = this.#networks.get(key.network)
    if (table === undefined) {
      table = new NetworkTable(key.network)
      this.#networks.set(key.network, table)
    }
    const entry = table.add(key, times)
    entry.provisional = provisional
    this.occupancy.add(entry)
    this.#registrations++
    if (entry.peer.registrations.length === 1) {
      this.#peers++
    }
    this.#relist(entry)
    return entry
  }

  #relist(entry: RegistrationEntry): void {
    const table = this.#networks.get(entry.peer.network)!
    if (entry.provisional) {
      table.unlist(entry)
    } else if (entry.health === 'reachable') {
      table.list(entry, entry.provedAt - entry.provedSince >= ESTABLISHED_AFTER_MS ? 'established' : 'recent')
    } else if (this.#listing === 'registered') {
      table.list(entry, 'recent')
    } else {
      table.unlist(entry)
    }
  }

  // Iterating a Map sees each entry that stays exactly once, whatever is added or deleted meanwhile: both the sweep and
  // a snapshot that takes many turns of the event loop stand on that.
  *#entries(): Generator<RegistrationEntry, undefined> {
    for (const table of this.#networks.values()) {
      for (const peer of table.peers.values()) {
        for (const entry of peer.registrations) {
          yield entry
        }
      }
    }
  }
}
