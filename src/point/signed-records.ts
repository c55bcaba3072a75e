import type { Clock } from '../base/clock.ts'
import type { Caller } from '../peer/caller.ts'
import type { RecordFault, RecordForm, SignedRecord } from '../peer/record.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import { judgeRecord } from '../policy/record-admission.ts'
import type { RefusalCode } from '../policy/refusal.ts'
import type { Position } from '../registry/listing-order.ts'
import type { RecordedPeer } from '../registry/peer-records.ts'
import type { RegisteredPeer, Registration } from '../registry/registration.ts'
import type { RendezvousPoint } from './rendezvous-point.ts'

export interface RendezvousRecordsInit {
  readonly point: RendezvousPoint
  readonly rules: AdmissionRules
  readonly clock: Clock
}

/** What a peer says of itself without signing it. The connection shows who it is; others have only our word. */
export interface UnsignedRecord {
  readonly form: 'unsigned'
  readonly peerId: string
  readonly addresses: readonly string[]
}

/** Which kind of records an asker can read: one it can't spoils the whole answer for some. */
export type ReadableForm = RecordForm | 'unsigned'

export type RecordRefusal = RefusalCode | RecordFault | 'record_seq_not_rising'

/** What became of a record that was to be registered. */
export type RecordOutcome =
  /** `withheld` when it names private addresses that mean nothing to those who ask from where the caller is. */
  | { readonly status: 'listed'; readonly renewed: boolean; readonly withheld: boolean }
  /** Kept, but not proved in time. */
  | { readonly status: 'pending' }
  | { readonly status: 'refused'; readonly code: RecordRefusal }

/** A peer as it is handed out. */
export interface DiscoveredPeer {
  readonly peer: RegisteredPeer
  /** Undefined for an asker that reads unsigned ones. */
  readonly envelope: Uint8Array | undefined
  /** Proved, and for this asker; canonical multiaddrs without `/p2p`. */
  readonly addresses: readonly string[]
  /** Seconds. */
  readonly ttl: number
  /** Where the reader stands behind it. */
  readonly position: Position
}

/** An entry of the operator's has no end. It is told as the longest time to live there is, in seconds. */
const LONGEST_TTL_S = 259_200

/** The use cases of the rendezvous protocol, on the same point: a registration with the record that says it. */
export class RendezvousRecords {
  readonly #point: RendezvousPoint
  readonly #rules: AdmissionRules
  readonly #clock: Clock

  constructor({ point, rules, clock }: RendezvousRecordsInit) {
    this.#point = point
    this.#rules = rules
    this.#clock = clock
  }

  /** Whether a network is served at all. */
  serves(network: string): boolean {
    return this.#rules.networks?.has(network) ?? true
  }

  /** Registers the addresses of a record that can be proved, and with them the record. As {@link RendezvousPoint.register}. */
  async register(
    caller: Caller,
    {
      network,
      record,
      ttl,
    }: { readonly network: string; readonly record: SignedRecord | UnsignedRecord; readonly ttl: number },
    signal: AbortSignal,
  ): Promise<RecordOutcome> {
    if (record.peerId !== caller.peerId) {
      return { status: 'refused', code: 'peer_mismatch' }
    }
    const fault = record.form === 'unsigned' ? undefined : this.#refuseRecord(network, record)
    if (fault !== undefined) {
      return { status: 'refused', code: fault }
    }
    const judged = judgeRecord(record, new Set([caller.ip.text]), this.#rules)
    if (typeof judged === 'string') {
      return { status: 'refused', code: judged }
    }
    const kept = record.form === 'unsigned' ? ('unsigned' as const) : record
    const outcomes = await this.#point.register(
      caller,
      { network, addresses: judged.provable, ttl, record: kept },
      signal,
    )
    const listed = outcomes.find(({ status }) => status === 'listed')
    if (listed !== undefined) {
      return { status: 'listed', renewed: listed.renewed, withheld: !this.#isFor(caller, network) }
    }
    return outcomes.some(({ status }) => status === 'pending')
      ? { status: 'pending' }
      : { status: 'refused', code: outcomes[0]!.refusal!.code }
  }

  /** The form that a peer registered in, in a network. */
  formOf(network: string, peerId: string): ReadableForm | undefined {
    const peer = this.#find(network, peerId)
    const record = peer && this.#table.find(peer)?.record
    return record === 'unsigned' ? record : record?.form
  }

  /** The form that most peers of a network registered in; of all without one. */
  usualForm(network: string | undefined): RecordForm {
    return this.#table.usualForm(network)
  }

  /** Where somebody starts who has read nothing yet. */
  get start(): Position {
    return this.#table.start
  }

  /** Whether anybody can have got as far as that. */
  isPossible(position: Position): boolean {
    return position.upTo <= this.#table.version
  }

  /** Those behind a position, each once; returns the position at the end. To be read without a pause. */
  *discover(
    caller: Caller,
    { network, form }: { readonly network: string | undefined; readonly form: ReadableForm },
    from: Position,
  ): Generator<DiscoveredPeer, Position> {
    const now = this.#clock()
    const reading = this.#table.read(network, from)
    for (;;) {
      const { value, done } = reading.next()
      if (done) {
        return value
      }
      const [recorded, position] = value
      const shown = this.#shownTo(caller, recorded, form)
      if (shown.length > 0) {
        const { peer, record } = recorded
        const end = Math.max(...shown.map(({ expiresAt }) => expiresAt))
        yield {
          peer,
          envelope: form === 'unsigned' || record === 'unsigned' ? undefined : record.envelope,
          addresses: shown.map(({ address }) => address),
          ttl: Math.max(1, Math.min(Math.floor((end - now) / 1000), LONGEST_TTL_S)),
          position,
        }
      }
    }
  }

  /**
   * How a peer stands with the rendezvous protocol. `unlisted`: nobody is handed it at all. `lacking`: no record of it
   * names an address that it is handed out by. An unsigned record is one: its addresses are written anew for each answer.
   */
  stateOf(peer: RegisteredPeer): 'unlisted' | 'lacking' | 'recorded' {
    const held = this.#heldOf(peer)
    const record = this.#table.find(peer)?.record
    if (held.length === 0) {
      return 'unlisted'
    }
    return record === 'unsigned' || held.some(({ address }) => record && names(record, address))
      ? 'recorded'
      : 'lacking'
  }

  /**
   * Takes in a record that a registered peer showed elsewhere, in identify: when it may be handed out as one that was
   * registered may, names an address that was proved, and is newer than the one before. `no_room`: another time it may.
   */
  learn(network: string, record: SignedRecord): 'learned' | 'refused' | 'no_room' {
    const peer = this.#find(network, record.peerId)
    const fault = this.#refuseRecord(network, record)
    if (peer === undefined || fault !== undefined) {
      return fault === 'limit_total' ? 'no_room' : 'refused'
    }
    const held = this.#heldOf(peer)
    const seenAt = new Set(held.map(({ address }) => address.split('/')[2]!))
    if (
      typeof judgeRecord(record, seenAt, this.#rules) === 'string' ||
      !held.some((each) => names(record, each.address))
    ) {
      return 'refused'
    }
    return this.#point.learnRecord(peer, record) ? 'learned' : 'refused'
  }

  /** The same record again is a renewal; another one has to be newer than any before it. */
  #refuseRecord(network: string, { peerId, seq, envelope }: SignedRecord): RecordRefusal | undefined {
    const peer = this.#find(network, peerId)
    const known = peer && this.#table.find(peer)?.record
    if (known !== undefined && known !== 'unsigned') {
      const isSame = Buffer.from(known.envelope).equals(envelope)
      return isSame || seq > known.seq ? undefined : 'record_seq_not_rising'
    }
    if (seq < this.#table.nextSeq(network, peerId)) {
      return 'record_seq_not_rising'
    }
    return this.#table.hasRoomFor(envelope.length) ? undefined : 'limit_total'
  }

  /** The registrations that an asker is handed a peer for: none when it is not to have it at all. */
  #shownTo(caller: Caller, { peer, record, scope }: RecordedPeer, form: ReadableForm): readonly Registration[] {
    if (form === 'unsigned') {
      return this.#point.listing.for(caller).addressesOf(peer)
    }
    if (record === 'unsigned' || record.form !== form) {
      return []
    }
    // Of a private range the caller has only its own; a record of another makes no sense to it.
    return this.#point.listing
      .for(caller)
      .addressesOf(peer)
      .filter((each) => (scope === 'public' || each.scope === scope) && names(record, each.address))
  }

  /** Whether somebody who asks from where the caller is would be handed the caller. */
  #isFor(caller: Caller, network: string): boolean {
    const peer = this.#find(network, caller.peerId)
    const recorded = peer && this.#table.find(peer)
    return recorded === undefined || recorded.scope === 'public' || recorded.scope === caller.scope
  }

  /** The registrations by which somebody is handed the peer now. */
  #heldOf({ registrations }: RegisteredPeer): readonly Registration[] {
    return registrations.filter((each) => this.#point.listing.holds(each))
  }

  get #table() {
    return this.#point.registry.peerRecords
  }

  #find(network: string, peerId: string): RegisteredPeer | undefined {
    return this.#point.registry.registrationsOf(network, peerId)[0]?.peer
  }
}

/** Whether a record names an address, with or without `/p2p` behind it. */
function names({ addresses }: SignedRecord, address: string): boolean {
  return addresses.some((each) => each === address || each.startsWith(`${address}/p2p/`))
}
