import { RecentMap } from '../base/recent-map.ts'
import { ipOf, parseAddress } from '../peer/address.ts'
import { networkGroupOf, type Scope, scopeOf } from '../peer/ip.ts'
import { type RecordForm, reopenRecord, type SignedRecord } from '../peer/record.ts'
import { ListingOrder, type Position, startAt } from './listing-order.ts'
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
  /**
   * The private range in which its record is valid; `public` when it names no private address, undefined when it names
   * several ranges, and is valid in none.
   */
  readonly scope: Scope | undefined
}

/**
 * The records that registered peers made of themselves, by network and over all, in the order of their pages. Kept
 * beside the table of registrations: most peers have none, and a record lives no longer than its peer's registrations.
 */
export class PeerRecords {
  readonly #byPeer = new Map<RegisteredPeer, RecordedPeer>()
  readonly #orders = new Map<string, ListingOrder<RecordedPeer>>()
  readonly #all = new ListingOrder<RecordedPeer>()
  readonly #pastSeqs = new RecentMap<string, bigint>(MAX_PAST_SEQS)
  readonly #forms = new Map<string, Record<RecordForm, number>>()
  #version = 0
  #bytes = 0

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

  /** Sets a peer's record, or only records that the peer changed. Returns the previous record. */
  put(peer: RegisteredPeer, record: OwnRecord): RecordedPeer | undefined {
    const before = this.#byPeer.get(peer)
    this.#take(before)
    const recorded = { peer, record, scope: scopeOfRecord(record) }
    this.#byPeer.set(peer, recorded)
    this.#version++
    const group = groupOf(peer)
    let order = this.#orders.get(peer.network)
    if (order === undefined) {
      order = new ListingOrder()
      this.#orders.set(peer.network, order)
    }
    order.put(recorded, this.#version, group)
    this.#all.put(recorded, this.#version, group)
    this.#count(recorded, 1)
    return before
  }

  /** The peer can be discovered again: readers past it are to see it again. */
  touch(peer: RegisteredPeer): void {
    const recorded = this.#byPeer.get(peer)
    if (recorded !== undefined) {
      this.put(peer, recorded.record)
    }
  }

  /** Undoes a {@link put}. */
  revert(peer: RegisteredPeer, before: RecordedPeer | undefined): void {
    if (before !== undefined) {
      this.put(peer, before.record)
    } else {
      this.#take(this.#byPeer.get(peer))
      this.#byPeer.delete(peer)
    }
  }

  /** Forgets the record of a peer that left, except its sequence number. */
  delete(peer: RegisteredPeer): void {
    const recorded = this.#byPeer.get(peer)
    if (recorded === undefined) {
      return
    }
    this.#take(recorded)
    this.#byPeer.delete(peer)
    if (recorded.record !== 'unsigned') {
      this.#pastSeqs.set(keyOf(peer.network, peer.id), recorded.record.seq)
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

  /** The position of a new reader. */
  get start(): Position {
    return startAt(this.#version)
  }

  /** The members after a position, of one network or of all. Nothing may change while they are read. */
  *read(network: string | undefined, from: Position): Generator<readonly [RecordedPeer, Position], Position> {
    const order = network === undefined ? this.#all : this.#orders.get(network)
    // There is nothing after the position.
    return order === undefined ? { upTo: from.upTo, turn: undefined } : yield* order.read(from)
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

  #take(recorded: RecordedPeer | undefined): void {
    if (recorded === undefined) {
      return
    }
    const { network } = recorded.peer
    const order = this.#orders.get(network)
    order?.delete(recorded)
    this.#all.delete(recorded)
    this.#count(recorded, -1)
    if (order?.size === 0) {
      this.#orders.delete(network)
      this.#forms.delete(network)
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

/** Public addresses have network groups; a private range counts as one, without turns. */
function groupOf({ registrations }: RegisteredPeer): string | undefined {
  const address = registrations.find(({ scope }) => scope === 'public')?.address
  return address === undefined ? undefined : networkGroupOf(ipOf(address))
}

function scopeOfRecord(record: OwnRecord): Scope | undefined {
  if (record === 'unsigned') {
    return 'public'
  }
  const scopes = new Set(record.addresses.map(scopeOfAddress).filter((scope) => scope !== 'public'))
  // A caller on the same machine is within all of its private ranges.
  const [scope = 'public'] = scopes.has('loopback') ? ['loopback' as const] : scopes
  return scopes.size > 1 && scope !== 'loopback' ? undefined : scope
}

/** By its IP: TCP, QUIC and WebSocket at one IP are at the same place. */
function scopeOfAddress(address: string): Scope {
  const [, version, host] = address.split('/')
  const parsed = parseAddress(`/${version}/${host}/tcp/1`)
  return typeof parsed === 'string' || parsed.address === undefined ? 'special' : scopeOf(parsed.address.ip)
}

function keyOf(network: string, peerId: string): string {
  return `${peerId} ${network}`
}
