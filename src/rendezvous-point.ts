import type { Clock } from './clock.ts'
import { type Address, addressAt, ipOf, parseAddress } from './peer/address.ts'
import type { Scope } from './peer/ip.ts'
import { samePeer } from './peer/peer-id.ts'
import type { SignedRecord } from './peer/record.ts'
import { type AdmissionRules, refuse } from './policy/admission.ts'
import type { Caller } from './policy/caller.ts'
import { type ProofFault, type Refusal, type RefusalCode, refusal } from './policy/refusal.ts'
import { selectPeers } from './policy/selection.ts'
import type { Random } from './random.ts'
import { RecentMap } from './recent-map.ts'
import type { OwnRecord, RecordedPeer } from './registry/peer-records.ts'
import {
  type Change,
  isStatic,
  keyOf,
  type RegisteredPeer,
  type Registration,
  type RegistrationKey,
  type RegistrationRecord,
} from './registry/registration.ts'
import { MAX_ADDRESSES_PER_PEER, type Registry, removeChange } from './registry/registry.ts'
import { type Contents, type Recovered, type Store, StoreUnavailableError, type Table } from './store/store.ts'

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

/** What a dial-back showed. */
export type Proof = { readonly ok: true } | { readonly ok: false; readonly fault: ProofFault }

/** Proves that a peer answers at an address. Resolves to `undefined` when it could not be told in time. */
export type Prover = (registration: Registration, signal: AbortSignal) => Promise<Proof | undefined>

export interface RendezvousPointInit {
  readonly registry: Registry
  readonly store: Pick<Store, 'append'>
  readonly rules: AdmissionRules
  /** Undefined lists what registers, unproved. */
  readonly prover: Prover | undefined
  /** How old a proof may be for its address to be handed out, ms. */
  readonly maxProofAge: number
  readonly clock: Clock
  readonly random: Random
  /** Something in the table changed that a snapshot does not have yet. */
  readonly onChange?: () => void
  /** A registration is there to be watched: it is new, or a restart brought it back. */
  readonly onRegistered?: (registration: Registration) => void
  /** A peer registered, or registered again. */
  readonly onPeer?: (peer: RegisteredPeer) => void
}

/** How many addresses taken back are remembered, so that a hand edit of an older list does not bring them back. */
const MAX_TAKEN_BACK = 10_000

/** The most expired entries looked for in one turn, so that a sweep never holds up an answer for long. */
const SWEEP_BUDGET = 20_000
/** A sweep of the whole table takes this many ticks, or as many as the budget makes it. */
const SWEEP_TICKS = 10

/**
 * The use cases: register, take back, discover, and what time and proofs do to the table. The only one that changes
 * the registry, and the only one that asks the store to remember.
 */
export class RendezvousPoint implements Table {
  readonly #init: RendezvousPointInit
  readonly registry: Registry
  readonly #takenBack = new RecentMap<string, true>(MAX_TAKEN_BACK)
  /** New registrations whose change is on its way to the disk, with the request that was last to ask for each. */
  readonly #unwritten = new Map<Registration, Batch>()

  constructor(init: RendezvousPointInit) {
    this.#init = init
    this.registry = init.registry
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
    const batch = newBatch()
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
        return await this.#admit(requested, { caller, target, ...request }, batch, signal)
      }),
    )
    if (request.record !== undefined && outcomes.some(({ status }) => status !== 'refused')) {
      this.#keepRecord(request.network, caller.peerId, request.record, batch)
    }
    await this.#remember(batch)
    for (const registration of batch.added) {
      this.#takenBack.delete(textOf(keyOf(registration)))
      this.#init.onRegistered?.(registration)
    }
    const [kept] = batch.kept
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
    const batch = newBatch()
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
        this.#remove(known, batch)
        this.#takenBack.set(textOf(key), true)
      }
      return refused(requested, 'removed', target)
    })
    await this.#remember(batch)
    return outcomes
  }

  /** Who a caller is handed: itself first, when it is listed, then `limit` others at most. */
  discover(caller: Caller, query: { readonly network: string; readonly limit: number }): RegisteredPeer[] {
    const current = this.#current()
    const own = this.registry.registrationsOf(query.network, caller.peerId)
    const others = selectPeers(
      this.registry,
      { ...query, scope: caller.scope, except: caller.peerId, current },
      this.#init.random,
    )
    const self = own.find((registration) => this.#isListed(registration, current))?.peer
    return self === undefined ? others : [self, ...others]
  }

  /** The addresses of a peer that may be handed to a caller, those of the caller's own address family first. */
  addressesFor(caller: Caller, peer: RegisteredPeer): Registration[] {
    const current = this.#current()
    const visible = peer.registrations.filter(
      (registration) =>
        this.#isListed(registration, current) &&
        (registration.scope === 'public' || registration.scope === caller.scope),
    )
    const family = `/ip${caller.ip.family}/`
    return visible.length < 2
      ? visible
      : [
          ...visible.filter(({ address }) => address.startsWith(family)),
          ...visible.filter(({ address }) => !address.startsWith(family)),
        ]
  }

  /** What a proof showed, told by the prober. False when the registration has gone meanwhile. */
  recordProof(registration: Registration, proof: Proof): boolean {
    if (this.registry.find(keyOf(registration)) !== registration) {
      return false
    }
    const { peerRecords } = this.registry
    const { peer, scope } = registration
    const returns = proof.ok && peerRecords.find(peer) !== undefined && !this.#listed(peer, scope)
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

  /** Gives up an address that has not answered for too long. */
  drop(registration: Registration): void {
    if (!isStatic(registration) && this.registry.remove(registration) && !registration.provisional) {
      this.#rememberLater(removeChange(registration))
    }
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
  merge(edited: Contents, since: number): void {
    const now = this.#init.clock()
    this.registry.setStatics(edited.statics, now)
    const kept = new Set(edited.records.map(textOf))
    for (const record of edited.records) {
      const isNew = this.registry.find(record) === undefined && !this.#takenBack.has(textOf(record))
      if (isNew && this.#mayBeListed(record)) {
        this.#init.onRegistered?.(this.registry.restore({ ...withoutEnvelope(record), provedAt: 0 }, now))
      }
    }
    for (const registration of this.registry.all()) {
      if (isStatic(registration)) {
        this.#init.onRegistered?.(registration)
      } else if (registration.registeredAt < since && !kept.has(textOf(keyOf(registration)))) {
        this.drop(registration)
      }
    }
    this.#init.onChange?.()
  }

  async #admit(
    requested: string,
    request: { caller: Caller; target: Address; network: string; ttl: number },
    batch: Batch,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { caller, target, network, ttl } = request
    const now = this.#init.clock()
    const key = { network, peerId: caller.peerId, address: target.text }
    const times = { now, expiresAt: now + ttl * 1000 }
    const known = this.registry.find(key)
    const renewed = known?.provisional === false
    const keep = (status: 'listed' | 'pending'): Outcome => {
      const { expiresAt } = this.#keep(key, times, batch)
      return { requested, status, renewed, refusal: undefined, address: target.text, expiresAt }
    }

    if (this.#init.prover === undefined || (known !== undefined && this.#isListed(known, this.#current()))) {
      return keep('listed')
    }
    const proved = known ?? this.registry.reserve(key, times)
    const proof = await this.#init.prover(proved, signal)
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

  /** Makes a registration real, or renews it. */
  #keep(key: RegistrationKey, times: { now: number; expiresAt: number }, batch: Batch): Registration {
    const isNew = this.registry.find(key)?.provisional !== false
    if (isNew) {
      this.#makeRoom(key, batch)
    }
    const registration = this.registry.put(key, times)
    if (isNew) {
      batch.added.push(registration)
      this.registry.peerRecords.touch(registration.peer)
    }
    batch.kept.add(registration)
    // While its first change is not on disk, it stands or falls with the last one who was told of it.
    if (isNew || this.#unwritten.has(registration)) {
      this.#unwritten.set(registration, batch)
    }
    return registration
  }

  /** A peer has a bounded number of addresses: the one proved longest ago goes. */
  #makeRoom({ network, peerId }: RegistrationKey, batch: Batch): void {
    const own = this.registry.registrationsOf(network, peerId).filter((each) => !isStatic(each) && !each.provisional)
    if (own.length >= MAX_ADDRESSES_PER_PEER) {
      const oldest = own.reduce((a, b) => (b.provedAt < a.provedAt ? b : a))
      this.#remove(oldest, batch)
    }
  }

  #remove(registration: Registration, batch: Batch): void {
    batch.removed.push({ registration, record: this.registry.recordOf(registration) })
    this.registry.remove(registration)
  }

  /** What a peer says of itself, unless it has said something newer while this was proved. */
  #keepRecord(network: string, peerId: string, record: OwnRecord, batch: Batch): void {
    const peer = this.registry.registrationsOf(network, peerId)[0]?.peer
    if (peer === undefined || (record !== 'unsigned' && isOlder(record, this.registry.peerRecords.find(peer)))) {
      return
    }
    batch.recorded = { peer, record, before: this.registry.peerRecords.put(peer, record) }
  }

  /** Answered means kept: what the store does not take did not happen. */
  async #remember(batch: Batch): Promise<void> {
    // As things stand now: somebody else may have taken back, or registered again, what waited here for its proof.
    const kept = [...batch.kept].filter((each) => !isStatic(each) && this.registry.find(keyOf(each)) === each)
    const removed = batch.removed.map(({ registration }) => registration).filter((each) => !this.#isKnown(each))
    if (kept.length + removed.length === 0) {
      return
    }
    this.#init.onChange?.()
    try {
      await this.#init.store.append([
        ...removed.map(removeChange),
        ...kept.map((each) => this.registry.putChange(each)),
      ])
    } catch (err) {
      this.#undo(batch)
      throw err
    }
    for (const registration of kept) {
      this.#unwritten.delete(registration)
    }
  }

  #undo({ kept, removed, recorded }: Batch): void {
    if (recorded !== undefined && this.registry.peerRecords.find(recorded.peer)?.record === recorded.record) {
      this.registry.peerRecords.revert(recorded.peer, recorded.before)
    }
    for (const registration of kept) {
      if (this.#unwritten.get(registration)?.kept === kept) {
        this.#unwritten.delete(registration)
        this.registry.remove(registration)
      }
    }
    for (const { registration, record } of removed) {
      if (!registration.provisional && !this.#isKnown(registration)) {
        const provedBefore = this.#init.clock() - this.#init.maxProofAge
        this.#init.onRegistered?.(this.registry.restore(record, provedBefore))
      }
    }
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

  #current(): (registration: Registration) => boolean {
    const now = this.#init.clock()
    const proves = this.#init.prover !== undefined
    const provedAfter = now - this.#init.maxProofAge
    return ({ expiresAt, provedAt }) => expiresAt > now && (!proves || provedAt >= provedAfter)
  }

  #isKnown(registration: Registration): boolean {
    return this.registry.find(keyOf(registration)) !== undefined
  }

  /** Whether a peer is handed out by an address of this scope. */
  #listed({ registrations }: RegisteredPeer, scope: Scope): boolean {
    const current = this.#current()
    return registrations.some((each) => each.scope === scope && this.#isListed(each, current))
  }

  #isListed(registration: Registration, current: (registration: Registration) => boolean): boolean {
    const known = registration.health === 'reachable' || this.#init.prover === undefined
    return known && !registration.provisional && current(registration)
  }
}

/** What one request does to the table, until the store has it. */
interface Batch {
  readonly kept: Set<Registration>
  /** Those of `kept` that were not there before. */
  readonly added: Registration[]
  /** Each with what was to be remembered of it. */
  readonly removed: Array<{ readonly registration: Registration; readonly record: RegistrationRecord }>
  recorded:
    | { readonly peer: RegisteredPeer; readonly record: OwnRecord; readonly before: RecordedPeer | undefined }
    | undefined
}

function newBatch(): Batch {
  return { kept: new Set(), added: [], removed: [], recorded: undefined }
}

/** Whether a record of the peer is there that is at least as new, and another one. */
function isOlder(record: SignedRecord, known: RecordedPeer | undefined): boolean {
  return known !== undefined && known.record !== 'unsigned' && known.record.seq > record.seq
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
