// Registers signed records, and reads them page by page.

import type { Random } from '../base/random.ts'
import { ipOf } from '../peer/address.ts'
import type { Caller } from '../peer/caller.ts'
import { MAX_TTL_MS } from '../peer/limits.ts'
import type { RecordForm, SignedRecord } from '../peer/record.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import { judgeRecord, mayStillBeHandedOut } from '../policy/record-admission.ts'
import type { OwnRecord } from '../registry/peer-records.ts'
import type { RegisteredPeer } from '../registry/registration.ts'
import type {
  PagePosition,
  ReadableForm,
  RecordEntry,
  RecordOutcome,
  RecordRefusal,
  RecordRequest,
} from './point-api.ts'
import { ipsOf, names, shownIn } from './record-view.ts'
import type { RendezvousPoint } from './rendezvous-point.ts'
import { mayBeWritten, saysTheSame } from './renewal.ts'

export interface SignedRecordsInit {
  readonly point: RendezvousPoint
  readonly rules: AdmissionRules
  readonly random: Random
}

/** How many rows are looked at for one page: a request is to cost the same however few of them its reader may have. */
const MAX_LOOKED_AT = 5000

/** The use cases of the rendezvous protocol, on the same point: a registration with the record that says it. */
export class SignedRecords {
  readonly #point: RendezvousPoint
  readonly #rules: AdmissionRules
  readonly #random: Random

  constructor({ point, rules, random }: SignedRecordsInit) {
    this.#point = point
    this.#rules = rules
    this.#random = random
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
    const kept = record.form === 'unsigned' ? ('unsigned' as const) : record
    const fault = kept === 'unsigned' ? undefined : this.#refuseRecord(network, kept)
    if (fault !== undefined || this.#changesTooOften(network, caller, kept)) {
      return { status: 'refused', code: fault ?? 'unavailable' }
    }
    const judged = judgeRecord(record, new Set([caller.ip.text]), this.#rules)
    if (typeof judged === 'string') {
      return { status: 'refused', code: judged }
    }
    const addresses = { network, addresses: judged.provable, ttlMs }
    const { now } = this.#point.listing.for(caller)
    const outcomes = await this.#point.registerRecord(caller, addresses, kept, signal)
    const listed = outcomes.filter((each) => 'renewed' in each).filter(({ status }) => status === 'listed')
    if (listed[0] !== undefined) {
      const end = Math.min(now + ttlMs, ...listed.map(({ expiresAt = now + ttlMs }) => expiresAt))
      return {
        status: 'listed',
        renewed: listed[0].renewed,
        ttlMs: timeLeft(end - now),
        withheld: !this.#isFor(caller, network),
      }
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

  /** Where a reader begins that has read nothing yet; each one somewhere else. */
  start({ network, form }: { readonly network: string | undefined; readonly form: ReadableForm }): PagePosition {
    return this.#table.start(network, form, this.#random)
  }

  /** Whether a reader can have got as far as that. */
  isPossible(position: PagePosition): boolean {
    return position.upTo <= this.#table.version
  }

  /**
   * The records behind a position, each once; returns the position at the end, or where enough was looked at. To be read
   * without a pause: all of it is of the moment at which the reading begins. `onRow` is called for each row, also one that
   * is not for the caller.
   */
  *discover(
    caller: Caller,
    { network, form }: { readonly network: string | undefined; readonly form: ReadableForm },
    from: PagePosition,
    onRow: () => void = () => {},
  ): Generator<RecordEntry, PagePosition> {
    const view = this.#point.listing.for(caller)
    const reading = this.#table.read(network, form, from)
    for (let rows = 1; ; rows++) {
      const { value, done } = reading.next()
      if (done) {
        return value
      }
      onRow()
      const [recorded, position] = value
      const shown = recorded === undefined ? [] : shownIn(view, recorded, form, this.#rules)
      if (recorded !== undefined && shown.length > 0) {
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
      if (rows === MAX_LOOKED_AT) {
        return position
      }
    }
  }

  /**
   * How a peer stands with the rendezvous protocol. `unlisted`: it is not handed out at all. `lacking`: no record of it
   * names an address that it is handed out by, or it names a public one where the peer is no longer. An unsigned record
   * is one: its addresses are written anew for each answer.
   */
  stateOf(peer: RegisteredPeer): 'unlisted' | 'lacking' | 'recorded' {
    const held = this.#point.listing.heldOf(peer)
    if (held.length === 0) {
      return 'unlisted'
    }
    const { record, places } = this.#table.find(peer) ?? {}
    if (record === undefined || places === undefined) {
      return 'lacking'
    }
    const isNamed = record === 'unsigned' || held.some(({ address }) => names(record, address))
    const stands = mayStillBeHandedOut(places, ipsOf(held), { ...this.#rules, allowPrivateIp: true })
    return isNamed && stands ? 'recorded' : 'lacking'
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
    const seenAt = new Set(held.map(({ address }) => ipOf(address).text))
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
      // The number of the last one that was not kept may come again: that one, too, is a renewal.
      if (!isSame && (seq <= known.seq || seq + 1n < this.#table.nextSeq(network, peerId))) {
        return 'record_seq_not_rising'
      }
      return isSame || this.#table.hasRoomFor(envelope.length - known.envelope.length) ? undefined : 'limit_total'
    }
    if (seq < this.#table.nextSeq(network, peerId)) {
      return 'record_seq_not_rising'
    }
    return this.#table.hasRoomFor(envelope.length) ? undefined : 'limit_total'
  }

  /** Each change of a record is written with all addresses: not more often than their renewals would be. */
  #changesTooOften(network: string, caller: Caller, record: OwnRecord): boolean {
    const peer = this.#find(network, caller.peerId)
    const known = peer && this.#table.find(peer)?.record
    const { now } = this.#point.listing.for(caller)
    return (
      peer !== undefined &&
      known !== undefined &&
      !saysTheSame(record, known) &&
      !peer.registrations.every((each) => mayBeWritten(each, now))
    )
  }

  /** Whether others that ask from where the caller is are handed it. */
  #isFor(caller: Caller, network: string): boolean {
    const peer = this.#find(network, caller.peerId)
    const recorded = peer && this.#table.find(peer)
    if (recorded === undefined) {
      return true
    }
    const form = recorded.record === 'unsigned' ? 'unsigned' : recorded.record.form
    return shownIn(this.#point.listing.for(caller), recorded, form, this.#rules).length > 0
  }

  get #table() {
    return this.#point.view.peerRecords
  }

  #find(network: string, peerId: string): RegisteredPeer | undefined {
    return this.#point.view.registrationsOf(network, peerId)[0]?.peer
  }
}

/** As the protocol has it, in whole seconds. An entry of the operator's has no end, and gets the longest time there is. */
function timeLeft(ms: number): number {
  return Math.max(1000, Math.floor(Math.min(ms, MAX_TTL_MS) / 1000) * 1000)
}
