// The peers of the original program's wire, which has no PeerIds: an address is listed once it accepts a connection.

import type { Clock } from '../base/clock.ts'
import { type Address, ipOf } from '../peer/address.ts'
import type { Caller } from '../peer/caller.ts'
import { networkGroupOf, type Scope, scopeOf } from '../peer/ip.ts'
import { targetOf } from '../peer/target.ts'
import { type AdmissionRules, refuse } from '../policy/admission.ts'
import { refuseEntry } from '../policy/list-admission.ts'
import type { RegistrationRecord } from '../registry/registration.ts'
import type { RegistryView } from '../registry/registry-view.ts'
import type { Merged, Store, Table } from '../store/store.ts'
import type { LegacyApi } from './point-api.ts'
import { type Written, write } from './table-change.ts'

export interface LegacyPeersInit {
  readonly rules: AdmissionRules
  readonly view: RegistryView
  readonly store: Pick<Store, 'append'>
  /** Whether something accepts a TCP connection there. */
  readonly connects: (address: string) => Promise<boolean>
  /** How long a connection counts before the next is tried, ms. */
  readonly interval: number
  readonly clock: Clock
  /** Something changed that a snapshot does not have yet. */
  readonly onChange: () => void
}

/** How long an entry lasts without being sent again, ms. Old clients send once, when they start. */
export const LEGACY_TTL_MS = 24 * 3_600_000
/** Entries in all, of one IP, and of one network group: few, since none proves a PeerId. */
export const MAX_LEGACY = 1000
export const MAX_LEGACY_PER_IP = 4
export const MAX_LEGACY_PER_GROUP = 64
/** Connections under way; beyond that no address is registered. */
export const MAX_CONNECTING = 32
/** Failed connections in a row after which an entry is removed before its time. */
const GIVE_UP_AFTER = 3

/** An entry of a client of the original program: an address that accepts connections, without a PeerId. */
interface LegacyPeer {
  readonly record: RegistrationRecord
  readonly scope: Scope
  nextCheckAt: number
  misses: number
}

/**
 * The peers that registered by the wire of the original program, which has no PeerIds. They are kept apart from the
 * others and handed out only to callers that ask for them.
 */
export class LegacyPeers implements LegacyApi {
  readonly #init: LegacyPeersInit
  readonly #peers = new Map<string, LegacyPeer>()
  readonly #connecting = new Set<string>()

  constructor(init: LegacyPeersInit) {
    this.#init = init
  }

  get size(): number {
    return this.#peers.size
  }

  /** Registers an address, or renews it, once something accepts a connection there. Resolves to whether it did. */
  async register(caller: Caller, text: string): Promise<boolean> {
    const target = targetOf(text, caller)
    if (typeof target === 'string' || !this.#mayBeTaken(caller, target) || !(await this.#connects(target.text))) {
      return false
    }
    const now = this.#init.clock()
    const known = this.#peers.get(target.text)
    if (known === undefined && !this.#hasRoomFor(target)) {
      return false
    }
    const registeredAt = known?.record.registeredAt ?? now
    const record = { ...keyAt(target.text), registeredAt, provedAt: now, expiresAt: now + LEGACY_TTL_MS }
    this.#put(record, now)
    this.#init.onChange()
    let written: Written | undefined
    try {
      written = await write(this.#init.store, [{ kind: 'put', record }])
    } finally {
      if (written !== 'kept' && known === undefined) {
        this.#peers.delete(target.text)
      }
    }
    return written === 'kept'
  }

  async discover({ scope }: Caller, limit: number): Promise<readonly string[]> {
    return Iterator.from(this.#heldFor(scope)).take(Math.max(0, limit)).toArray()
  }

  /** The records that a store should keep. */
  *records(): Generator<RegistrationRecord, undefined> {
    for (const { record } of this.#peers.values()) {
      yield record
    }
  }

  /** Restores a record of the store; its address is tried again at once. */
  restore(record: RegistrationRecord): void {
    if (this.#peers.size < MAX_LEGACY && refuseEntry(record, this.#init.rules) === undefined) {
      this.#put(record, 0)
    }
  }

  /** Takes in a list that the operator edited: a record from before `since` that is not in it was deleted. */
  merge(edited: readonly RegistrationRecord[], since: number): Merged {
    const kept = new Set(edited.map(({ address }) => address))
    const gone = [...this.#peers.values()].filter(
      ({ record }) => record.registeredAt < since && !kept.has(record.address),
    )
    for (const { record } of gone) {
      this.#drop(record.address)
    }
    const before = this.#peers.size
    for (const record of edited) {
      if (!this.#peers.has(record.address)) {
        this.restore(record)
      }
    }
    return { added: this.#peers.size - before, removed: gone.length }
  }

  /** Removes what has expired and begins the checks that are due. */
  tick(): void {
    const now = this.#init.clock()
    for (const [address, peer] of this.#peers) {
      if (peer.record.expiresAt <= now) {
        this.#drop(address)
      } else if (peer.nextCheckAt <= now && this.#connecting.size < MAX_CONNECTING) {
        peer.nextCheckAt = now + this.#init.interval
        void this.#check(address, peer)
      }
    }
  }

  async #check(address: string, peer: LegacyPeer): Promise<void> {
    peer.misses = (await this.#connects(address)) ? 0 : peer.misses + 1
    if (peer.misses >= GIVE_UP_AFTER && this.#peers.get(address) === peer) {
      this.#drop(address)
    }
  }

  /** Canonical multiaddrs that a caller of this scope gets, the latest first. */
  *#heldFor(scope: Scope): Generator<string, undefined> {
    const now = this.#init.clock()
    for (const { record, scope: own, misses } of [...this.#peers.values()].reverse()) {
      if (record.expiresAt > now && misses === 0 && (own === 'public' || own === scope)) {
        yield record.address
      }
    }
  }

  #mayBeTaken(caller: Caller, target: Address): boolean {
    const code = refuse(caller, '', target, this.#init.rules, this.#init.view, this.#init.clock())
    return code === undefined && (this.#peers.has(target.text) || this.#hasRoomFor(target))
  }

  #hasRoomFor({ ip }: Address): boolean {
    const now = this.#init.clock()
    const ips = [...this.#peers.values()]
      .filter(({ record }) => record.expiresAt > now)
      .map(({ record }) => ipOf(record.address))
    const group = networkGroupOf(ip)
    return (
      ips.length < MAX_LEGACY &&
      ips.filter(({ text }) => text === ip.text).length < MAX_LEGACY_PER_IP &&
      ips.filter((each) => networkGroupOf(each) === group).length < MAX_LEGACY_PER_GROUP
    )
  }

  async #connects(address: string): Promise<boolean> {
    if (this.#connecting.size >= MAX_CONNECTING || this.#connecting.has(address)) {
      return false
    }
    this.#connecting.add(address)
    try {
      return await this.#init.connects(address)
    } finally {
      this.#connecting.delete(address)
    }
  }

  #put(record: RegistrationRecord, checkedAt: number): void {
    const { address } = record
    this.#peers.set(address, {
      record,
      scope: scopeOf(ipOf(address)),
      nextCheckAt: checkedAt === 0 ? 0 : checkedAt + this.#init.interval,
      // An entry is handed out only after a connection since the start.
      misses: checkedAt === 0 ? 1 : 0,
    })
  }

  /** Does not wait for the disk: a removal that is lost there only lets the entry expire later. */
  #drop(address: string): void {
    this.#peers.delete(address)
    this.#init.onChange()
    void write(this.#init.store, [{ kind: 'remove', key: keyAt(address) }])
  }
}

/** A table with the entries of the original's wire among its records, for a store. */
export function withLegacy(table: Table, legacy: LegacyPeers): Table {
  return {
    *records() {
      yield* table.records()
      yield* legacy.records()
    },
    statics: () => table.statics(),
    merge({ records, statics }, since) {
      const own = table.merge({ records: records.filter((record) => !isLegacy(record)), statics }, since)
      const old = legacy.merge(records.filter(isLegacy), since)
      return { ...own, added: own.added + old.added, removed: own.removed + old.removed }
    },
  }
}

/** Whether a record is one of the original's wire. */
export function isLegacy({ peerId }: RegistrationRecord): boolean {
  return peerId === ''
}

/** The original knows neither networks nor PeerIds. */
function keyAt(address: string) {
  return { network: '', peerId: '', address }
}
