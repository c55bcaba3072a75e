// The signed records of peers, in the order of their pages.

import { RecentMap } from '../base/recent-map.ts'
import { type RecordForm, reopenRecord, type SignedRecord } from '../peer/record.ts'
import { placesOf, type RecordPlaces } from '../peer/record-places.ts'
import type { Position } from './listing-order.ts'
import { type Audience, isListed, PageOrders } from './page-orders.ts'
import type { RegisteredPeer } from './registration.ts'

/** Bytes of envelopes in memory, over all networks: 200 thousand usual ones of 230 bytes, or 16 thousand of the largest. */
export const MAX_ENVELOPES_BYTES = 64 * 1024 * 1024
/** How many sequence numbers of peers that left are remembered, the latest ones. */
export const MAX_PAST_SEQS = 100_000

/** The record that a peer registered of itself: signed, or, in the first draft of the protocol, not. */
export type OwnRecord = SignedRecord | 'unsigned'

/** A peer of the rendezvous protocol. */
export interface RecordedPeer {
  readonly peer: RegisteredPeer
  readonly record: OwnRecord
  /** Undefined when the record is not one to hand out, wherever its peer is. */
  readonly places: RecordPlaces | undefined
}

/**
 * The records that registered peers made of themselves, by network and over all, in the order of their pages. Kept
 * beside the table of registrations: most peers have none, and a record lives no longer than its peer's registrations.
 */
export class PeerRecords {
  readonly #byPeer = new Map<RegisteredPeer, RecordedPeer>()
  readonly #orders: PageOrders
  readonly #pastSeqs = new RecentMap<string, bigint>(MAX_PAST_SEQS)
  readonly #forms = new Map<string, Record<RecordForm, number>>()
  #version = 0
  #bytes = 0

  /** @param secret decides the order of the network groups, which remote peers must not know in advance. */
  constructor(secret: string) {
    this.#orders = new PageOrders(secret)
  }

  get size(): number {
    return this.#byPeer.size
  }

  /** The version of the last change. */
  get version(): number {
    return this.#version
  }

  find(peer: RegisteredPeer): RecordedPeer | undefined {
    return this.#byPeer.get(peer)
  }

  /** Whether there is room for one more record of this many bytes. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= MAX_ENVELOPES_BYTES
  }

  /**
   * The lowest sequence number that a new record of a peer in a network may have. It outlives the peer's registration:
   * a record that was taken back must not come back.
   */
  nextSeq(network: string, peerId: string): bigint {
    const past = this.#pastSeqs.get(keyOf(network, peerId))
    return past === undefined ? 0n : past + 1n
  }

  /** A peer showed a record that is not kept: its sequence number counts all the same. */
  noteSeq({ network, id }: RegisteredPeer, record: OwnRecord): void {
    if (record !== 'unsigned' && record.seq >= this.nextSeq(network, id)) {
      this.#pastSeqs.set(keyOf(network, id), record.seq)
    }
  }

  /** Sets a peer's record, or only records that the peer changed. Returns the previous record. */
  put(peer: RegisteredPeer, record: OwnRecord): RecordedPeer | undefined {
    const before = this.#byPeer.get(peer)
    if (before !== undefined) {
      this.#count(before, -1)
      if (before.record !== record) {
        this.#orders.hide(peer, before.record)
      }
    }
    const recorded = before?.record === record ? before : { peer, record, places: placesOf(record) }
    this.#byPeer.set(peer, recorded)
    this.#count(recorded, 1)
    this.#version++
    if (isListed(peer)) {
      this.#orders.show(peer, record, this.#version)
    }
    return before
  }

  /** The peer can be discovered again, or it renewed: readers past it are to see it again. */
  touch(peer: RegisteredPeer): void {
    const recorded = this.#byPeer.get(peer)
    if (recorded !== undefined) {
      this.put(peer, recorded.record)
    }
  }

  /** A registration of the peer became listed, or no longer is. */
  relisted(peer: RegisteredPeer): void {
    const recorded = this.#byPeer.get(peer)
    if (recorded === undefined) {
      return
    }
    const wasListed = this.#orders.has(peer)
    if (isListed(peer)) {
      if (!wasListed) {
        this.touch(peer)
      }
    } else if (wasListed) {
      this.#orders.hide(peer, recorded.record)
    }
  }

  /** Undoes a {@link put}. */
  revert(peer: RegisteredPeer, before: RecordedPeer | undefined): void {
    if (before !== undefined) {
      this.put(peer, before.record)
    } else {
      this.#forget(this.#byPeer.get(peer))
    }
  }

  /** Forgets the record of a peer that left, except its sequence number. */
  delete(peer: RegisteredPeer): void {
    const recorded = this.#byPeer.get(peer)
    this.#forget(recorded)
    if (recorded !== undefined) {
      this.noteSeq(peer, recorded.record)
    }
  }

  /** What a store keeps of a peer's record; empty for one without a signature. */
  envelopeOf(peer: RegisteredPeer): Uint8Array | undefined {
    const record = this.find(peer)?.record
    return record === 'unsigned' ? NOTHING : record?.envelope
  }

  /**
   * Restores what a store kept. Each registration of a peer was stored with its record at that time: the last one
   * counts.
   */
  restore(peer: RegisteredPeer, envelope: Uint8Array): void {
    const known = this.find(peer)?.record
    if (envelope.length === 0) {
      if (known === undefined) {
        this.put(peer, 'unsigned')
      }
      return
    }
    if (known === undefined || known === 'unsigned' || !Buffer.from(envelope).equals(known.envelope)) {
      const record = reopenRecord(envelope)
      const knownSeq = known === undefined || known === 'unsigned' ? -1n : known.seq
      if (typeof record !== 'string' && record.peerId === peer.id && record.seq > knownSeq) {
        this.put(peer, record)
      }
    }
  }

  /** The position of a new reader: somewhere in the first turn, so that no peer is the first for all of them. */
  start(network: string | undefined, audience: Audience, random: () => number): Position {
    return this.#orders.start(network, audience, this.#version, random)
  }

  /**
   * The members after a position, of one network or of all; undefined for one that changed, and comes later. Nothing may
   * change while they are read.
   */
  *read(
    network: string | undefined,
    audience: Audience,
    from: Position,
  ): Generator<readonly [RecordedPeer | undefined, Position], Position> {
    const reading = this.#orders.read(network, audience, from)
    for (;;) {
      const { value, done } = reading.next()
      if (done) {
        return value
      }
      const [peer, position] = value
      yield [peer && this.#byPeer.get(peer), position]
    }
  }

  /** The form that most of the signed records of a network have; of all networks without one. */
  usualForm(network: string | undefined): RecordForm {
    const forms =
      network === undefined
        ? [...this.#forms.values()].reduce(
            (sum, each) => ({
              standard: sum.standard + each.standard,
              'routing-state': sum['routing-state'] + each['routing-state'],
            }),
            { standard: 0, 'routing-state': 0 },
          )
        : this.#forms.get(network)
    return forms !== undefined && forms['routing-state'] > forms.standard ? 'routing-state' : 'standard'
  }

  #forget(recorded: RecordedPeer | undefined): void {
    if (recorded !== undefined) {
      this.#orders.hide(recorded.peer, recorded.record)
      this.#count(recorded, -1)
      this.#byPeer.delete(recorded.peer)
    }
  }

  #count({ peer: { network }, record }: RecordedPeer, by: 1 | -1): void {
    if (record === 'unsigned') {
      return
    }
    this.#bytes += by * record.envelope.length
    const forms = this.#forms.get(network) ?? { standard: 0, 'routing-state': 0 }
    forms[record.form] += by
    this.#forms.set(network, forms)
  }
}

const NOTHING = new Uint8Array(0)
function keyOf(network: string, peerId: string): string {
  return `${peerId} ${network}`
}
