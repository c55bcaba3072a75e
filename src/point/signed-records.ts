import type { Caller } from '../peer/caller.ts'
import { MAX_TTL_MS } from '../peer/limits.ts'
import type { RecordForm, SignedRecord } from '../peer/record.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import { judgeRecord } from '../policy/record-admission.ts'
import type { RecordedPeer } from '../registry/peer-records.ts'
import type { RegisteredPeer, Registration } from '../registry/registration.ts'
import type { AnswerView } from './listing.ts'
import type {
  PagePosition,
  ReadableForm,
  RecordEntry,
  RecordOutcome,
  RecordRefusal,
  RecordRequest,
} from './point-api.ts'
import type { RendezvousPoint } from './rendezvous-point.ts'

export interface SignedRecordsInit {
  readonly point: RendezvousPoint
  readonly rules: AdmissionRules
}

/** The use cases of the rendezvous protocol, on the same point: a registration with the record that says it. */
export class SignedRecords {
  readonly #point: RendezvousPoint
  readonly #rules: AdmissionRules

  constructor({ point, rules }: SignedRecordsInit) {
    this.#point = point
    this.#rules = rules
  }

  /** Whether a network is served at all. */
  serves(network: string): boolean {
    return this.#rules.networks?.has(network) ?? true
  }

  /** Registers the addresses of a record that can be proved, and with them the record. As {@link RendezvousPoint.register}. */
  async register(
    caller: Caller,
    { network, record, ttlMs }: RecordRequest,
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
    const addresses = { network, addresses: judged.provable, ttlMs }
    const outcomes = await this.#point.registerRecord(caller, addresses, kept, signal)
    const listed = outcomes.filter((each) => 'renewed' in each).find(({ status }) => status === 'listed')
    if (listed !== undefined) {
      return { status: 'listed', renewed: listed.renewed, withheld: !this.#isFor(caller, network) }
    }
    const refusals = outcomes.filter((each) => each.status === 'refused').map(({ refusal }) => refusal.code)
    return refusals.length < outcomes.length
      ? { status: 'pending' }
      : { status: 'refused', code: refusals.find((code) => code === 'unavailable') ?? refusals[0]! }
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

  /** Where a reader begins that has read nothing yet. */
  get start(): PagePosition {
    return this.#table.start
  }

  /** Whether a reader can have got as far as that. */
  isPossible(position: PagePosition): boolean {
    return position.upTo <= this.#table.version
  }

  /**
   * The records behind a position, each once; returns the position at the end. To be read without a pause: all of it is
   * of the moment at which the reading begins. `onRow` is called for each row, also one that is not for the caller.
   */
  *discover(
    caller: Caller,
    { network, form }: { readonly network: string | undefined; readonly form: ReadableForm },
    from: PagePosition,
    onRow: () => void = () => {},
  ): Generator<RecordEntry, PagePosition> {
    const view = this.#point.listing.for(caller)
    const reading = this.#table.read(network, from)
    for (;;) {
      const { value, done } = reading.next()
      if (done) {
        return value
      }
      onRow()
      const [recorded, position] = value
      const shown = shownIn(view, recorded, form)
      if (shown.length > 0) {
        const { peer, record } = recorded
        const end = Math.max(...shown.map(({ expiresAt }) => expiresAt))
        yield {
          network: peer.network,
          peerId: peer.id,
          envelope: form === 'unsigned' || record === 'unsigned' ? undefined : record.envelope,
          addresses: shown.map(({ address }) => address),
          ttlMs: timeLeft(end - view.now),
          position,
        }
      }
    }
  }

  /**
   * How a peer stands with the rendezvous protocol. `unlisted`: it is not handed out at all. `lacking`: no record of it
   * names an address that it is handed out by. An unsigned record is one: its addresses are written anew for each answer.
   */
  stateOf(peer: RegisteredPeer): 'unlisted' | 'lacking' | 'recorded' {
    const held = this.#point.listing.heldOf(peer)
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
    const held = this.#point.listing.heldOf(peer)
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

  /** Whether others that ask from where the caller is are handed it. */
  #isFor(caller: Caller, network: string): boolean {
    const peer = this.#find(network, caller.peerId)
    const recorded = peer && this.#table.find(peer)
    return recorded === undefined || recorded.scope === 'public' || recorded.scope === caller.scope
  }

  get #table() {
    return this.#point.view.peerRecords
  }

  #find(network: string, peerId: string): RegisteredPeer | undefined {
    return this.#point.view.registrationsOf(network, peerId)[0]?.peer
  }
}

/** The registrations that a peer is handed out for: none when the caller is not to have it at all. */
function shownIn(view: AnswerView, { peer, record, scope }: RecordedPeer, form: ReadableForm): readonly Registration[] {
  if (form === 'unsigned') {
    return view.addressesOf(peer)
  }
  if (record === 'unsigned' || record.form !== form) {
    return []
  }
  // Of a private range the caller has only its own; a record of another makes no sense to it.
  return view
    .addressesOf(peer)
    .filter((each) => (scope === 'public' || each.scope === scope) && names(record, each.address))
}

/** As the protocol has it, in whole seconds. An entry of the operator's has no end, and gets the longest time there is. */
function timeLeft(ms: number): number {
  return Math.max(1000, Math.floor(Math.min(ms, MAX_TTL_MS) / 1000) * 1000)
}

/** Whether a record names an address, with or without `/p2p` behind it. */
function names({ addresses }: SignedRecord, address: string): boolean {
  return addresses.some((each) => each === address || each.startsWith(`${address}/p2p/`))
}
