// The use cases of the point: register, unregister, and what time and dial-backs change.

import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Caller } from '../peer/caller.ts'
import type { SignedRecord } from '../peer/record.ts'
import { targetOf } from '../peer/target.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import type { OwnRecord } from '../registry/peer-records.ts'
import { isStatic, keyOf, type RegisteredPeer, type Registration } from '../registry/registration.ts'
import type { Registry } from '../registry/registry.ts'
import type { RegistryView } from '../registry/registry-view.ts'
import type { Store } from '../store/store.ts'
import { Listing } from './listing.ts'
import { OperatorList } from './operator-list.ts'
import { refused, unavailable } from './outcomes.ts'
import type { AddressOutcome, RegisterRequest, UnregisterRequest } from './point-api.ts'
import { type PointWatcher, Watched } from './point-watcher.ts'
import { ProofResults } from './proof-results.ts'
import type { Proof, Prover } from './prover.ts'
import { registerAddress } from './register-address.ts'
import { saysTheSame } from './renewal.ts'
import { type TableChange, TableChanges } from './table-change.ts'

export interface RendezvousPointInit {
  readonly registry: Registry
  readonly store: Pick<Store, 'append'>
  readonly rules: AdmissionRules
  /** Undefined lists what registers, unproved. */
  readonly prover: Pick<Prover, 'prove'> | undefined
  /** How old a proof may be for its address to be handed out, ms. */
  readonly maxProofAge: number
  readonly clock: Clock
  readonly random: Random
}

/** The most expired entries looked for in one turn, so that a sweep never holds up an answer for long. */
const SWEEP_BUDGET = 20_000
/** A sweep of the whole table takes this many ticks, or as many as the budget makes it: room is all that it makes. */
const SWEEP_TICKS = 120

/** The use cases: register, take back, and what time and proofs do to the table. */
export class RendezvousPoint {
  readonly view: RegistryView
  readonly listing: Listing
  readonly operatorList: OperatorList
  readonly #init: RendezvousPointInit
  readonly #registry: Registry
  readonly #changes: TableChanges
  readonly #proofs: ProofResults
  readonly #watched = new Watched()

  constructor(init: RendezvousPointInit) {
    const { registry, store, rules, prover, maxProofAge, clock, random } = init
    const watched = this.#watched
    this.#init = init
    this.view = registry
    this.#registry = registry
    this.listing = new Listing({ view: registry, verified: prover !== undefined, maxProofAge, clock, random })
    this.#changes = new TableChanges({ registry, store, watched, maxProofAge, clock })
    this.#proofs = new ProofResults({ registry, listing: this.listing, watched, clock })
    const [changes, proofs] = [this.#changes, this.#proofs]
    this.operatorList = new OperatorList({ registry, changes, proofs, watched, rules, maxProofAge, clock })
  }

  /** Sets what is called at changes; once, before anything is restored. */
  watch(watcher: PointWatcher): void {
    this.#watched.watcher = watcher
  }

  /**
   * Registers a caller's addresses in a network: admitted by the rules, proved by dialing back, written to the store, in
   * this order. All addresses are proved side by side; what the signal cuts short stays `pending`. When the store takes
   * no change nothing is registered, and what would have been is refused with `unavailable`.
   */
  register(caller: Caller, request: RegisterRequest, signal: AbortSignal): Promise<readonly AddressOutcome[]> {
    return this.#register(caller, request, { record: undefined, mayShorten: true }, signal)
  }

  /** As {@link register}. What the caller says of itself is kept with its addresses unless all are refused. */
  registerRecord(
    caller: Caller,
    request: RegisterRequest,
    record: OwnRecord,
    signal: AbortSignal,
  ): Promise<readonly AddressOutcome[]> {
    return this.#register(caller, request, { record, mayShorten: true }, signal)
  }

  /** As {@link register}, but what is registered for longer stays so. */
  learn(caller: Caller, request: RegisterRequest, signal: AbortSignal): Promise<readonly AddressOutcome[]> {
    return this.#register(caller, request, { record: undefined, mayShorten: false }, signal)
  }

  /** Takes addresses of the caller back; without any, all that it has in the network. */
  async unregister(caller: Caller, { network, addresses }: UnregisterRequest): Promise<readonly AddressOutcome[]> {
    const { peerId } = caller
    const texts =
      addresses.length > 0 ? addresses : this.#registry.registrationsOf(network, peerId).map(({ address }) => address)
    const change = this.#changes.begin()
    const removed = new Map<AddressOutcome, Registration>()
    const outcomes = texts.map((requested): AddressOutcome => {
      const target = targetOf(requested, caller)
      if (typeof target === 'string') {
        return refused(requested, target, undefined)
      }
      const known = this.#registry.find({ network, peerId, address: target.text })
      if (known !== undefined && isStatic(known)) {
        return refused(requested, 'static', target)
      }
      const outcome = { status: 'removed', requested, address: target.text } as const
      if (known !== undefined) {
        change.remove(known)
        this.operatorList.tookBack(known)
        removed.set(outcome, known)
      }
      return outcome
    })
    if ((await change.commit()) === 'kept') {
      return outcomes
    }
    for (const registration of removed.values()) {
      this.operatorList.isBack(registration)
    }
    return outcomes.map((each) => (removed.has(each) ? unavailable(each) : each))
  }

  /** What a proof showed. False when the registration has gone meanwhile. */
  recordProof(registration: Registration, proof: Proof): boolean {
    if (this.#registry.find(keyOf(registration)) !== registration) {
      return false
    }
    this.#proofs.record(registration, proof.ok ? 'answered' : 'missed')
    if (proof.ok && !isStatic(registration) && !registration.provisional) {
      this.#changes.rememberLater(registration)
    }
    return true
  }

  /** A registered peer showed a newer record of itself. False when it is the one that is known. */
  learnRecord(peer: RegisteredPeer, record: SignedRecord): boolean {
    const known = this.#registry.peerRecords.find(peer)?.record
    if (peer.registrations.length === 0 || (known !== undefined && known !== 'unsigned' && known.seq >= record.seq)) {
      return false
    }
    this.#registry.peerRecords.put(peer, record)
    const kept = peer.registrations.find((each) => !isStatic(each) && !each.provisional)
    if (kept !== undefined) {
      this.#changes.rememberLater(kept)
    }
    return true
  }

  /** Gives up an address that has not answered for too long. False when it was gone, or was not registered yet. */
  drop(registration: Registration): boolean {
    return this.#changes.drop(registration)
  }

  /** Time went on: forgets what has expired, a part of the table each time. Returns what it removed. */
  tick(): Registration[] {
    const now = this.#init.clock()
    const budget = Math.min(SWEEP_BUDGET, Math.ceil(this.#registry.size / SWEEP_TICKS) + 100)
    const expired = this.#registry.expire(now, now - this.#init.maxProofAge, budget)
    if (expired.length > 0) {
      this.#watched.watcher.changed()
    }
    return expired
  }

  async #register(
    caller: Caller,
    request: RegisterRequest,
    terms: { readonly record: OwnRecord | undefined; readonly mayShorten: boolean },
    signal: AbortSignal,
  ): Promise<readonly AddressOutcome[]> {
    const change = this.#changes.begin()
    const { network, ttlMs } = request
    if (terms.record !== undefined) {
      const peer = this.#registry.peer(network, caller.peerId)
      change.mustWrite = !saysTheSame(terms.record, peer && this.#registry.peerRecords.find(peer)?.record)
    }
    const { registry, rules, prover, clock } = this.#init
    const parts = { registry, listing: this.listing, rules, prover, proofs: this.#proofs, clock }
    const outcomes = await Promise.all(
      request.addresses.map((requested) =>
        registerAddress(parts, { requested, caller, network, ttlMs, mayShorten: terms.mayShorten }, change, signal),
      ),
    )
    if (terms.record !== undefined && outcomes.some(({ status }) => status !== 'refused')) {
      change.keepRecord(network, caller.peerId, terms.record)
    }
    for (const each of change.evicted) {
      this.operatorList.tookBack(each)
    }
    if ((await change.commit()) === 'unavailable') {
      for (const each of change.evicted) {
        this.operatorList.isBack(each)
      }
      // An entry of the operator's is there all the same.
      return outcomes.map((each) => ('expiresAt' in each && each.expiresAt !== undefined ? unavailable(each) : each))
    }
    this.#tell(change)
    return outcomes
  }

  #tell({ kept, added, evicted }: TableChange): void {
    const { watcher } = this.#watched
    for (const registration of evicted) {
      watcher.evicted(registration)
    }
    for (const registration of added) {
      this.operatorList.isBack(registration)
      watcher.tracked(registration)
    }
    const [first] = kept
    if (first !== undefined) {
      watcher.registered(first.peer, added)
    }
  }
}
