// A change of the table and of the store, both or neither. Above 250 lines because what one request keeps, renews, evicts
// and removes is committed or undone as one.

import type { Clock } from '../base/clock.ts'
import { MAX_ADDRESSES } from '../peer/limits.ts'
import type { OwnRecord, RecordedPeer } from '../registry/peer-records.ts'
import {
  type Change,
  isStatic,
  keyOf,
  type RegisteredPeer,
  type Registration,
  type RegistrationKey,
  type RegistrationRecord,
  removeChange,
} from '../registry/registration.ts'
import type { Registry } from '../registry/registry.ts'
import { type Store, StoreUnavailableError } from '../store/store.ts'
import type { Watched } from './point-watcher.ts'
import { countWrite, isOlder, isWorthWriting, RenewalsUnderWay } from './renewal.ts'

export interface TableChangesInit {
  readonly registry: Registry
  readonly store: Pick<Store, 'append'>
  readonly watched: Watched
  /** How old a proof may be for its address to be handed out, ms. */
  readonly maxProofAge: number
  readonly clock: Clock
}

/** Whether a store has a change: `unavailable` when it takes none now. */
export type Written = 'kept' | 'unavailable'

/**
 * Changes of the table that a store is to have: by requests, each of which stands or falls with what the store says of
 * it, and by proofs, for which no answer waits.
 */
export class TableChanges {
  readonly #init: TableChangesInit
  /** New registrations whose change is on its way to the disk, with the request that was last to ask for each. */
  readonly #unwritten = new Map<Registration, TableChange>()
  /** What requests have removed, until the store has that. */
  readonly #removing = new Set<Removed>()
  readonly #renewing = new RenewalsUnderWay()

  constructor(init: TableChangesInit) {
    this.#init = init
  }

  begin(): TableChange {
    return new TableChange(this.#init, this.#unwritten, this.#removing, this.#renewing)
  }

  /** The registrations that a snapshot is to have. What a request removes is among them: the store may refuse that. */
  *records(): Iterable<RegistrationRecord> {
    const { registry } = this.#init
    yield* registry.records()
    for (const { registration, record } of this.#removing) {
      if (!registration.provisional && registry.find(record) === undefined) {
        yield record
      }
    }
  }

  /** Has the store keep a registration as it is now. Without it the peer is only dialed again. */
  rememberLater(registration: Registration): void {
    this.#writeLater(this.#init.registry.putChange(registration))
  }

  /** Gives a registration up. False when it was gone, was not registered yet, or is the operator's. */
  drop(registration: Registration): boolean {
    const isKept = !isStatic(registration) && this.#init.registry.remove(registration) && !registration.provisional
    if (isKept) {
      this.#writeLater(removeChange(registration))
    }
    return isKept
  }

  #writeLater(change: Change): void {
    this.#init.watched.watcher.changed()
    void write(this.#init.store, [change])
  }
}

/** Writes changes. That the store takes none now is an answer; any other failure is thrown. */
export async function write(store: Pick<Store, 'append'>, changes: readonly Change[]): Promise<Written> {
  try {
    await store.append(changes)
    return 'kept'
  } catch (err) {
    if (err instanceof StoreUnavailableError) {
      return 'unavailable'
    }
    throw err
  }
}

/** A registration that a request removes, with what was to be remembered of it. */
interface Removed {
  readonly registration: Registration
  readonly record: RegistrationRecord
}

/** What one request does to the table, until the store has it. */
export class TableChange {
  /** What the request registered or renewed. */
  readonly kept = new Set<Registration>()
  /** Each renewal is written, as the record that comes with it says something new. */
  mustWrite = false
  /** Those of `kept` that were not there before. */
  readonly added: Registration[] = []
  /** What gave way to these. */
  readonly evicted: Registration[] = []
  readonly #init: TableChangesInit
  readonly #unwritten: Map<Registration, TableChange>
  readonly #removing: Set<Removed>
  readonly #renewing: RenewalsUnderWay
  /** What of `kept` is written, with the ends that this request asked for: another may have asked since. */
  readonly #written = new Map<Registration, number>()
  /** The renewals that are not written: they stand as the store has them. */
  readonly #asStored = new Set<Registration>()
  readonly #removed: Removed[] = []
  #recorded:
    | { readonly peer: RegisteredPeer; readonly record: OwnRecord; readonly before: RecordedPeer | undefined }
    | undefined

  constructor(
    init: TableChangesInit,
    unwritten: Map<Registration, TableChange>,
    removing: Set<Removed>,
    renewing: RenewalsUnderWay,
  ) {
    this.#init = init
    this.#unwritten = unwritten
    this.#removing = removing
    this.#renewing = renewing
  }

  /** Makes a registration real, or renews it. A renewal that changes little stays as the store has it. */
  keep(key: RegistrationKey, times: { readonly now: number; readonly expiresAt: number }): Registration {
    const { registry } = this.#init
    const known = registry.find(key)
    const isNew = known?.provisional !== false
    if (isNew) {
      this.#makeRoom(key)
    } else if (!isStatic(known) && !this.#unwritten.has(known) && !this.#renewing.has(known)) {
      if (!this.mustWrite && !isWorthWriting(known, times)) {
        this.kept.add(known)
        this.#asStored.add(known)
        return known
      }
      countWrite(known, times.now)
    }
    const before = known?.expiresAt
    const registration = registry.put(key, times)
    if (!isStatic(registration)) {
      if (!this.#written.has(registration)) {
        this.#renewing.begin(registration, before ?? registration.expiresAt)
      }
      this.#written.set(registration, registration.expiresAt)
      this.#asStored.delete(registration)
    }
    if (isNew) {
      this.added.push(registration)
    }
    // A renewal, too: clients of the rendezvous protocol forget a peer when its time is over.
    registry.peerRecords.touch(registration.peer)
    this.kept.add(registration)
    // While its first change is not on disk, it stands or falls with the last request that is answered for it.
    if (isNew || this.#unwritten.has(registration)) {
      this.#unwritten.set(registration, this)
    }
    return registration
  }

  remove(registration: Registration): void {
    const { registry } = this.#init
    const removed = { registration, record: registry.recordOf(registration) }
    this.#removed.push(removed)
    this.#removing.add(removed)
    registry.remove(registration)
  }

  /** A registration gives way to one that is kept. One that only reserves room is judged again when it is proved. */
  evict(registration: Registration): void {
    if (registration.provisional) {
      this.#init.registry.remove(registration)
    } else {
      this.remove(registration)
      this.#unwritten.delete(registration)
      this.evicted.push(registration)
    }
  }

  /** What a peer says of itself, unless it has said something newer meanwhile. It is kept when something is written. */
  keepRecord(network: string, peerId: string, record: OwnRecord): void {
    const { peerRecords } = this.#init.registry
    const peer = this.#init.registry.peer(network, peerId)
    if (peer === undefined || isOlder(record, peerRecords.find(peer)?.record)) {
      return
    }
    if (this.kept.size > this.#asStored.size) {
      this.#recorded = { peer, record, before: peerRecords.put(peer, record) }
    } else {
      peerRecords.noteSeq(peer, record)
    }
  }

  /** Answered means kept: what the store does not take did not happen. Rejects as the store does, for a bug of it. */
  async commit(): Promise<Written> {
    const { registry, store, watched } = this.#init
    // As things stand now: another request may have taken back, or registered again, what waited here for its proof.
    const kept = [...this.kept].filter(
      (each) => !isStatic(each) && !this.#asStored.has(each) && registry.find(keyOf(each)) === each,
    )
    const removed = this.#removed.map(({ registration }) => registration).filter((each) => !this.#isKnown(each))
    if (kept.length + removed.length === 0) {
      this.#settle(false)
      return 'kept'
    }
    watched.watcher.changed()
    let written: Written | undefined
    try {
      written = await write(store, [...removed.map(removeChange), ...kept.map((each) => this.#putOf(each))])
    } finally {
      if (written !== 'kept') {
        this.#undo()
      }
      this.#settle(written === 'kept')
    }
    if (written === 'kept') {
      for (const registration of kept) {
        this.#unwritten.delete(registration)
      }
    }
    return written
  }

  /** Its writes are over. */
  #settle(isStored: boolean): void {
    for (const removed of this.#removed) {
      this.#removing.delete(removed)
    }
    this.#renewing.endAll(this.#written, isStored, this.#init.registry)
  }

  #undo(): void {
    const { registry, clock, maxProofAge, watched } = this.#init
    const recorded = this.#recorded
    if (recorded !== undefined && registry.peerRecords.find(recorded.peer)?.record === recorded.record) {
      registry.peerRecords.revert(recorded.peer, recorded.before)
    }
    for (const registration of this.kept) {
      if (this.#unwritten.get(registration) === this) {
        this.#unwritten.delete(registration)
        registry.remove(registration)
      }
    }
    for (const { registration, record } of this.#removed) {
      if (!registration.provisional && !this.#isKnown(registration)) {
        watched.watcher.tracked(registry.restore(record, clock() - maxProofAge))
      }
    }
  }

  /** A peer has a bounded number of addresses: the one proved longest ago goes. */
  #makeRoom({ network, peerId }: RegistrationKey): void {
    const all = this.#init.registry.registrationsOf(network, peerId)
    const own = all.filter((each) => !isStatic(each) && !each.provisional)
    if (own.length >= MAX_ADDRESSES) {
      this.remove(own.reduce((a, b) => (b.provedAt < a.provedAt ? b : a)))
    }
  }

  #putOf(registration: Registration): Change {
    const record = this.#init.registry.recordOf(registration)
    return { kind: 'put', record: { ...record, expiresAt: this.#written.get(registration) ?? record.expiresAt } }
  }

  #isKnown(registration: Registration): boolean {
    return this.#init.registry.find(keyOf(registration)) !== undefined
  }
}
