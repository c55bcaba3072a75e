// The table of registrations. Above 250 lines because each write keeps networks, pools, counts and records in step: only it writes to them.
import { randomUUID } from 'node:crypto'
import type { Scope } from '../peer/ip.ts'
import { Liveness } from './liveness.ts'
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
import { SpareNetworks } from './spare-networks.ts'

export interface RegistryInit {
  /**
   * `verified`: only addresses that answered are listed. `registered`: all registered ones are, for closed networks
   * whose bootstrap can't dial back.
   */
  readonly listing: 'verified' | 'registered'
}

/**
 * The table of what is registered. Synchronous, without clock or I/O, and without chance but for the secret by which
 * network groups are ordered; every write returns the change to remember. Adding, renewing, removing and finding take
 * as many steps with ten entries as with a million.
 */
export class Registry implements RegistryView {
  readonly #networks = new Map<string, NetworkTable>()
  readonly #liveness: Liveness
  readonly occupancy = new Occupancy()
  readonly spareNetworks = new SpareNetworks()
  /** The records of peers of the rendezvous protocol. */
  readonly peerRecords: PeerRecords = new PeerRecords(randomUUID())
  #statics: readonly StaticEntry[] = []
  #sweep: Iterator<RegistrationEntry> | undefined
  #registrations = 0
  #peers = 0

  constructor({ listing }: RegistryInit) {
    this.#liveness = new Liveness({ networks: this.#networks, listing, settled: (entry) => this.#settled(entry) })
  }

  /** Registrations, the operator's included. */
  get size(): number {
    return this.#registrations
  }

  get livingCount(): number {
    return this.#liveness.living
  }

  get listedCount(): number {
    return this.#liveness.listed
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

  /** The registrations of a network that may be listed, by scope. */
  pool(network: string, scope: Scope): Pool<ListedRegistration> | undefined {
    return this.#networks.get(network)?.pool(scope)
  }

  /**
   * Reserves room for a registration while its proof runs, so that limits count it meanwhile. It is in no answer and
   * in no store until {@link put} completes it.
   */
  reserve(key: RegistrationKey, times: { readonly now: number; readonly expiresAt: number }): Registration {
    return this.#add(key, { registeredAt: times.now, expiresAt: times.expiresAt }, true)
  }

  /** Adds a registration, or renews the one with its key. An operator's entry stays as it is. */
  put(key: RegistrationKey, times: { readonly now: number; readonly expiresAt: number }): Registration {
    const known = this.#networks.get(key.network)?.find(key.peerId, key.address)
    if (known !== undefined) {
      known.expiresAt = isStatic(known) ? known.expiresAt : times.expiresAt
      if (known.provisional) {
        known.provisional = false
        // A list that was begun before now does not have it.
        known.registeredAt = times.now
        this.#liveness.settle(known)
      }
      return known
    }
    return this.#add(key, { registeredAt: times.now, expiresAt: times.expiresAt })
  }

  /** Removes a registration. Returns false when it was gone already. */
  remove(registration: Registration): boolean {
    const entry = registration as RegistrationEntry
    const table = this.#networks.get(entry.peer.network)
    if (table?.find(entry.peer.id, entry.address) !== entry) {
      return false
    }
    this.#liveness.remove(entry)
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
    this.spareNetworks.settle(table)
    return true
  }

  /**
   * Records that a peer answered at its address, or missed. One address has one living peer: when it answered, the
   * registrations of other peers there are failing from now on, in whichever network. Returns those.
   */
  recordProof(registration: Registration, result: ProofResult, now: number): readonly Registration[] {
    const entry = registration as RegistrationEntry
    if (result === 'answered') {
      return this.#liveness.answered(entry, now)
    }
    this.#liveness.missed(entry, now)
    return []
  }

  /**
   * Checks the next `budget` registrations; call after call it comes round to all of them. Removes the expired ones,
   * and takes out of the answers those whose last proof is older than `provedBefore`. Returns the removed ones.
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
        this.#liveness.lapse(entry)
      }
    }
    return expired
  }

  /**
   * Restores a stored registration. It may be listed at once when it was proved at `provedBefore` or later, and after
   * all other peers at its address; others have to answer again first.
   */
  restore(record: RegistrationRecord, provedBefore: number): Registration {
    const entry = this.#networks.get(record.network)?.find(record.peerId, record.address) ?? this.#add(record, record)
    if (!isStatic(entry) && record.provedAt > 0) {
      this.#liveness.restore(entry, record, provedBefore)
    }
    if (record.envelope !== undefined) {
      this.peerRecords.restore(entry.peer, record.envelope)
    }
    return entry
  }

  /** Replaces the operator's entries. Those that name a peer and an address become registrations that do not expire. */
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

  /** Makes a peer's registration an operator's entry: its PeerId is in the file, or it answered there. */
  identify(key: RegistrationKey, now: number): Registration {
    return this.put(key, { now, expiresAt: Number.POSITIVE_INFINITY })
  }

  /** The peers of a network; of all networks without one. As {@link all}. */
  *peers(network: string | undefined): Iterable<RegisteredPeer> {
    const tables = network === undefined ? this.#networks.values() : [this.#networks.get(network)]
    for (const table of tables) {
      yield* table?.peers.values() ?? []
    }
  }

  /** Every registration, in no order. Stays valid while the table changes: one that is there throughout comes once. */
  all(): Iterable<Registration> {
    return this.#entries()
  }

  /**
   * The registrations that a store should keep: all but the operator's entries, which are kept as they were written,
   * and those whose first proof still runs.
   */
  *records(): Iterable<RegistrationRecord> {
    for (const entry of this.#entries()) {
      if (!isStatic(entry) && !entry.provisional) {
        yield this.recordOf(entry)
      }
    }
  }

  /** The stored form of a registration; the record of its peer is part of each. */
  recordOf(registration: Registration): RegistrationRecord {
    const envelope = this.peerRecords.envelopeOf(registration.peer)
    return envelope === undefined ? recordOf(registration) : { ...recordOf(registration), envelope }
  }

  /** The change that stores a registration as it is now. */
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
      table = new NetworkTable(key.network, (peer) => this.peerRecords.relisted(peer))
      this.#networks.set(key.network, table)
    }
    const entry = table.add(key, times)
    entry.provisional = provisional
    this.occupancy.add(entry)
    this.#liveness.add(entry)
    this.#registrations++
    this.#peers += entry.peer.registrations.length === 1 ? 1 : 0
    return entry
  }

  /** Keeps what follows from where an entry stands in step. */
  #settled(entry: RegistrationEntry): void {
    if (!entry.provisional && entry.group === undefined) {
      this.occupancy.release(entry)
    }
    this.spareNetworks.settle(this.#networks.get(entry.peer.network)!)
  }

  // Iterating a Map sees each entry that stays exactly once, whatever is added or deleted meanwhile. Both the sweep
  // and a snapshot that takes many turns of the event loop rely on that.
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
