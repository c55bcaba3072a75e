// Decides by dial-backs which registrations live, one peer per address, and which are in the pools for answers.

import { AddressIndex } from './address-index.ts'
import type { NetworkTable, RegistrationEntry } from './network-table.ts'
import type { RegistrationRecord } from './registration.ts'

/**
 * How long a peer must have answered without a miss to count as established, ms: to stay for a day costs an attacker
 * more than a crowd that comes for minutes. Bitcoin's seeder and CometBFT's seeds prefer old peers for the same
 * reason.
 */
export const ESTABLISHED_AFTER_MS = 24 * 3_600_000

export interface LivenessInit {
  readonly networks: ReadonlyMap<string, NetworkTable>
  readonly listing: 'verified' | 'registered'
  /** Called when an entry was put where its state says: in a pool, or in none. */
  readonly settled: (entry: RegistrationEntry) => void
}

/**
 * Which entries live, by what dial-backs showed, and which of them are in the pools that answers are drawn from. One
 * address has one living peer, over all networks: the one that answered there last.
 */
export class Liveness {
  readonly #networks: ReadonlyMap<string, NetworkTable>
  readonly #listing: 'verified' | 'registered'
  readonly #settled: (entry: RegistrationEntry) => void
  readonly #byAddress = new AddressIndex<RegistrationEntry>()
  #living = 0
  #listed = 0

  constructor({ networks, listing, settled }: LivenessInit) {
    this.#networks = networks
    this.#listing = listing
    this.#settled = settled
  }

  /** Entries whose peer answered when it was last dialed there, and where no other peer has answered since. */
  get living(): number {
    return this.#living
  }

  /** Entries in the pools. One whose proof became too old counts until it is swept. */
  get listed(): number {
    return this.#listed
  }

  add(entry: RegistrationEntry): void {
    this.#byAddress.add(entry)
    this.settle(entry)
  }

  /** Before the entry leaves its network. */
  remove(entry: RegistrationEntry): void {
    this.#byAddress.remove(entry)
    this.#living -= entry.isLiving ? 1 : 0
    this.#listed -= entry.group === undefined ? 0 : 1
  }

  /** The peer answered. Returns the entries of other peers that lived at its address until now. */
  answered(entry: RegistrationEntry, now: number): readonly RegistrationEntry[] {
    entry.recordProof('answered', now)
    this.settle(entry)
    const others = this.#othersLivingAt(entry)
    this.#fail(others)
    return others
  }

  missed(entry: RegistrationEntry, now: number): void {
    entry.recordProof('missed', now)
    this.settle(entry)
  }

  /** The last proof became too old. */
  lapse(entry: RegistrationEntry): void {
    entry.lapse()
    this.settle(entry)
  }

  /** Takes in a proof of before a restart. It counts from `provedBefore` on, when no other peer was proved there later. */
  restore(entry: RegistrationEntry, record: RegistrationRecord, provedBefore: number): void {
    const others = this.#othersLivingAt(entry)
    const isLast = others.every(({ provedAt }) => provedAt < record.provedAt)
    entry.restoreProof(record, isLast && record.provedAt >= provedBefore)
    this.settle(entry)
    this.#fail(isLast ? others : [])
  }

  /** Puts an entry where its state says. */
  settle(entry: RegistrationEntry): void {
    const isLiving = entry.provedSince !== 0 && !entry.provisional
    this.#living += Number(isLiving) - Number(entry.isLiving)
    entry.isLiving = isLiving
    const table = this.#networks.get(entry.peer.network)!
    const wasListed = entry.group !== undefined
    if (entry.provisional || (this.#listing === 'verified' && entry.health !== 'reachable')) {
      table.unlist(entry)
    } else {
      const isOld = entry.health === 'reachable' && entry.provedAt - entry.provedSince >= ESTABLISHED_AFTER_MS
      table.list(entry, isOld ? 'established' : 'recent')
    }
    this.#listed += Number(entry.group !== undefined) - Number(wasListed)
    this.#settled(entry)
  }

  #fail(entries: readonly RegistrationEntry[]): void {
    for (const each of entries) {
      each.fail()
      this.settle(each)
    }
  }

  #othersLivingAt({ peer, address }: RegistrationEntry): readonly RegistrationEntry[] {
    return this.#byAddress.at(address).filter((each) => each.provedSince !== 0 && each.peer.id !== peer.id)
  }
}
