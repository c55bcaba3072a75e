import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { RecentMap } from '../base/recent-map.ts'
import { type Address, addressAt, ipOf, parseAddress } from '../peer/address.ts'
import type { Caller } from '../peer/caller.ts'
import { samePeer } from '../peer/peer-id.ts'
import type { SignedRecord } from '../peer/record.ts'
import { type AdmissionRules, refuse } from '../policy/admission.ts'
import { type Refusal, type RefusalCode, refusal } from '../policy/refusal.ts'
import type { OwnRecord } from '../registry/peer-records.ts'
import {
  type Change,
  isStatic,
  keyOf,
  type RegisteredPeer,
  type Registration,
  type RegistrationKey,
  type RegistrationRecord,
} from '../registry/registration.ts'
import { type Registry, removeChange } from '../registry/registry.ts'
import { countNew } from '../registry/static-entry.ts'
import {
  type Contents,
  type Merged,
  type Recovered,
  type Store,
  StoreUnavailableError,
  type Table,
} from '../store/store.ts'
import { Listing } from './listing.ts'
import type { Proof, Prover } from './prover.ts'
import { type TableChange, TableChanges } from './table-change.ts'

/** What became of one address that a caller asked to register or to take back. */
export interface Outcome {
  /** As the caller wrote it. */
  readonly requested: string
  readonly status: 'listed' | 'pending' | 'refused'
  /** Whether it was there before. */
  readonly renewed: boolean
  /** Why it is refused. */
  readonly refusal: Refusal | undefined
  /** The multiaddr without `/p2p`, once it could be read. */
  readonly address: string | undefined
  /** When the registration ends, ms since the epoch; undefined when there is none, `Infinity` for the operator's. */
  readonly expiresAt: number | undefined
}

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
  /** Something in the table changed that a snapshot does not have yet. */
  readonly onChange?: () => void
  /** A registration is there to be watched: it is new, or a restart brought it back. */
  readonly onRegistered?: (registration: Registration) => void
  /** A registration is on disk that was not there before. */
  readonly onAdded?: (registration: Registration) => void
  /** A peer registered, or registered again. */
  readonly onPeer?: (peer: RegisteredPeer) => void
}

/** How many addresses taken back are remembered, so that a hand edit of an older list does not bring them back. */
const MAX_TAKEN_BACK = 10_000

/** The most expired entries looked for in one turn, so that a sweep never holds up an answer for long. */
const SWEEP_BUDGET = 20_000
/** A sweep of the whole table takes this many ticks, or as many as the budget makes it: room is all that it makes. */
const SWEEP_TICKS = 120

/**
 * The use cases: register, take back, and what time and proofs do to the table. The only one that changes
 * the registry, and the only one that asks the store to remember.
 */
export class RendezvousPoint implements Table {
  readonly #init: RendezvousPointInit
  readonly registry: Registry
  readonly listing: Listing
  readonly #takenBack = new RecentMap<string, true>(MAX_TAKEN_BACK)
  readonly #changes: TableChanges

  constructor(init: RendezvousPointInit) {
    this.#init = init
    this.registry = init.registry
    this.listing = new Listing({ ...init, verified: init.prover !== undefined })
    this.#changes = new TableChanges({ ...init, onRestored: (registration) => init.onRegistered?.(registration) })
  }

  /** Takes in what a store recovered. Those proved longest ago are the first to be proved again. */
  restore({ records, statics, trusted }: Recovered): void {
    const now = this.#init.clock()
    this.registry.setStatics(statics, now)
    for (const record of records) {
      if (this.#mayBeListed(record)) {
        this.registry.restore(trusted ? record : withoutEnvelope(record), now - this.#init.maxProofAge)
      }
    }
    const watched = [...this.registry.all()].sort((a, b) => a.provedAt - b.provedAt)
    for (const registration of watched) {
      this.#init.onRegistered?.(registration)
    }
  }

  /**
   * Registers a caller's addresses in a network: admitted by the rules, proved by dialling back, remembered by the
   * store, in this order. All addresses are proved side by side; what the signal cuts short stays `pending`.
   * Rejects with {@link StoreUnavailableError} when the store does not take it; nothing is registered then.
   * `record`, what the caller says of itself, is kept with them unless all are refused.
   */
  async register(
    caller: Caller,
    request: {
      readonly network: string
      readonly addresses: readonly string[]
      readonly ttl: number
      readonly record?: OwnRecord
    },
    signal: AbortSignal,
  ): Promise<Outcome[]> {
    const change = this.#changes.begin()
    const outcomes = await Promise.all(
      request.addresses.map(async (requested): Promise<Outcome> => {
        const target = readTarget(requested, caller)
        if (typeof target === 'string') {
          return refused(requested, target)
        }
        const code = refuse(caller, request.network, target, this.#init.rules, this.registry)
        if (code !== undefined) {
          return refused(requested, code, target)
        }
        return await this.#admit(requested, { caller, target, ...request }, change, signal)
      }),
    )
    if (request.record !== undefined && outcomes.some(({ status }) => status !== 'refused')) {
      change.keepRecord(request.network, caller.peerId, request.record)
    }
    await change.commit()
    for (const registration of change.added) {
      this.#takenBack.delete(textOf(keyOf(registration)))
      this.#init.onRegistered?.(registration)
      this.#init.onAdded?.(registration)
    }
    const [kept] = change.kept
    if (kept !== undefined) {
      this.#init.onPeer?.(kept.peer)
    }
    return outcomes
  }

  /** Takes addresses of the caller back; without any, all that it has in the network. */
  async unregister(
    caller: Caller,
    request: { readonly network: string; readonly addresses: readonly string[] },
  ): Promise<Outcome[]> {
    const own = this.registry.registrationsOf(request.network, caller.peerId)
    const targets =
      request.addresses.length > 0
        ? request.addresses.map((requested) => ({ requested, target: readTarget(requested, caller) }))
        : own.map(({ address }) => ({ requested: address, target: readTarget(address, caller) }))
    const change = this.#changes.begin()
    const outcomes = targets.map(({ requested, target }): Outcome => {
      if (typeof target === 'string') {
        return refused(requested, target)
      }
      const key = { network: request.network, peerId: caller.peerId, address: target.text }
      const known = this.registry.find(key)
      if (known !== undefined && isStatic(known)) {
        return { ...refused(requested, 'static', target), expiresAt: known.expiresAt }
      }
      if (known !== undefined) {
        change.remove(known)
        this.#takenBack.set(textOf(key), true)
      }
      return refused(requested, 'removed', target)
    })
    await change.commit()
    return outcomes
  }

  /** What a proof showed, told by the prober. False when the registration has gone meanwhile. */
  recordProof(registration: Registration, proof: Proof): boolean {
    if (this.registry.find(keyOf(registration)) !== registration) {
      return false
    }
    const { peerRecords } = this.registry
    const { peer, scope } = registration
    const returns = proof.ok && peerRecords.find(peer) !== undefined && !this.listing.holdsPeer(peer, scope)
    this.registry.recordProof(registration, proof.ok ? 'answered' : 'missed', this.#init.clock())
    if (returns) {
      peerRecords.touch(peer)
    }
    if (proof.ok && !isStatic(registration) && !registration.provisional) {
      this.#rememberLater(this.registry.putChange(registration))
    }
    return true
  }

  /** A registered peer showed a newer record of itself. False when it is the one that is known. */
  learnRecord(peer: RegisteredPeer, record: SignedRecord): boolean {
    const known = this.registry.peerRecords.find(peer)?.record
    if (peer.registrations.length === 0 || (known !== undefined && known !== 'unsigned' && known.seq >= record.seq)) {
      return false
    }
    this.registry.peerRecords.put(peer, record)
    const kept = peer.registrations.find((each) => !isStatic(each) && !each.provisional)
    if (kept !== undefined) {
      this.#rememberLater(this.registry.putChange(kept))
    }
    return true
  }

  /** A peer answered at an address of the operator's that names none: it is the peer the operator meant. */
  identify(key: RegistrationKey): void {
    const registration = this.registry.identify(key, this.#init.clock())
    this.registry.recordProof(registration, 'answered', this.#init.clock())
    this.#init.onRegistered?.(registration)
  }

  /** Gives up an address that has not answered for too long. False when it was gone, or was not registered yet. */
  drop(registration: Registration): boolean {
    const isKept = !isStatic(registration) && this.registry.remove(registration) && !registration.provisional
    if (isKept) {
      this.#rememberLater(removeChange(registration))
    }
    return isKept
  }

  /** Time went on: forgets what has expired. Call it every second. Returns what it removed. */
  tick(): Registration[] {
    const now = this.#init.clock()
    const budget = Math.min(SWEEP_BUDGET, Math.ceil(this.registry.size / SWEEP_TICKS) + 100)
    const expired = this.registry.expire(now, now - this.#init.maxProofAge, budget)
    if (expired.length > 0) {
      this.#init.onChange?.()
    }
    return expired
  }

  records() {
    return this.registry.records()
  }

  statics() {
    return this.registry.statics
  }

  /** The operator edited the list by hand while the node ran. */
  merge(edited: Contents, since: number): Merged {
    const now = this.#init.clock()
    const { statics } = this.registry
    this.registry.setStatics(edited.statics, now)
    let added = countNew(edited.statics, statics)
    let removed = countNew(statics, edited.statics)
    const kept = new Set(edited.records.map(textOf))
    for (const record of edited.records) {
      const isNew = this.registry.find(record) === undefined && !this.#takenBack.has(textOf(record))
      if (isNew && this.#mayBeListed(record)) {
        this.#init.onRegistered?.(this.registry.restore({ ...withoutEnvelope(record), provedAt: 0 }, now))
        added += 1
      }
    }
    for (const registration of this.registry.all()) {
      if (isStatic(registration)) {
        this.#init.onRegistered?.(registration)
      } else if (registration.registeredAt < since && !kept.has(textOf(keyOf(registration)))) {
        removed += this.drop(registration) ? 1 : 0
      }
    }
    this.#init.onChange?.()
    return { added, removed }
  }

  async #admit(
    requested: string,
    request: { caller: Caller; target: Address; network: string; ttl: number },
    change: TableChange,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { caller, target, network, ttl } = request
    const now = this.#init.clock()
    const key = { network, peerId: caller.peerId, address: target.text }
    const times = { now, expiresAt: now + ttl * 1000 }
    const known = this.registry.find(key)
    const renewed = known?.provisional === false
    const keep = (status: 'listed' | 'pending'): Outcome => {
      const { expiresAt } = change.keep(key, { ...times, now: this.#init.clock() })
      return { requested, status, renewed, refusal: undefined, address: target.text, expiresAt }
    }

    if (this.#init.prover === undefined || (known !== undefined && this.listing.holds(known))) {
      return keep('listed')
    }
    const proved = known ?? this.registry.reserve(key, times)
    const proof = await this.#init.prover.prove(proved, signal)
    if (proof?.ok === false) {
      if (proved.provisional) {
        this.registry.remove(proved)
      } else if (proof.fault !== 'dial_busy') {
        this.recordProof(proved, proof)
      }
      return refused(requested, proof.fault, target)
    }
    if (proof?.ok) {
      // It may have been taken back while it was proved; then it is registered again now.
      const proven = this.registry.find(key) ?? this.registry.reserve(key, times)
      this.registry.recordProof(proven, 'answered', this.#init.clock())
    }
    return keep(proof === undefined ? 'pending' : 'listed')
  }

  /** Nobody waits for the outcome of a proof to be on disk: without it the peer is only asked again. */
  #rememberLater(change: Change): void {
    this.#init.onChange?.()
    this.#init.store.append([change]).catch((err) => {
      if (!(err instanceof StoreUnavailableError)) {
        throw err
      }
    })
  }

  /** What was kept before the operator changed who is welcome. */
  #mayBeListed({ peerId, address }: RegistrationKey): boolean {
    return this.#init.rules.access.permits(peerId, ipOf(address))
  }
}

/** What a file says is worth no more than its word, and this is handed out as a peer's own. */
function withoutEnvelope({ envelope: _, ...record }: RegistrationRecord): RegistrationRecord {
  return record
}

function readTarget(text: string, caller: Caller): Address | RefusalCode {
  const parsed = parseAddress(text)
  if (typeof parsed === 'string') {
    return parsed
  }
  if (parsed.peerId !== undefined && !samePeer(parsed.peerId, caller.peerId)) {
    return 'peer_mismatch'
  }
  return parsed.address ?? addressAt(caller.ip, parsed.port)
}

function refused(requested: string, code: RefusalCode, target?: Address): Outcome {
  return {
    requested,
    status: 'refused',
    renewed: false,
    refusal: refusal(code),
    address: target?.text,
    expiresAt: undefined,
  }
}

function textOf({ network, peerId, address }: RegistrationKey): string {
  return `${peerId} ${address} ${network}`
}
