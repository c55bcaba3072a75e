import { type BackOff, backOff } from '../../base/back-off.ts'
import type { Random } from '../../base/random.ts'
import type { OfferedAddress } from '../offered-peers.ts'
import { PER_GROUP, PER_PUBLIC_IP, type Place, PlaceCounts, placesOf } from '../places.ts'
import { type Entry, type Opened, victimOf } from './entry.ts'
import { soleOrigin } from './prospect.ts'
import { Voices } from './voices.ts'

/** The most peers that are kept in mind; each takes about half a kilobyte. */
export const MAX_PROSPECTS = 1000
/** A book of fewer has room for any number at one place: the nodes of one household, and of one test, find each other. */
const CROWDED = 64
/** Of a private range only those who are in it can name peers. */
const PLACES = { perPublicIp: PER_PUBLIC_IP, perPrivateIp: MAX_PROSPECTS, perGroup: PER_GROUP }
/**
 * After a failure a peer is left alone for 1–3 s, then twice as long each time, up to half an hour, ± 50 %. The first
 * pause is short: a libp2p node takes 5 connections a second from one IP, and peers behind one NAT start together.
 */
export const PEER_BACK_OFF: BackOff = { first: 2000, most: 30 * 60_000 }
/** After this number of failures in a row, about half an hour, a peer is forgotten until it is named again. */
const GIVE_UP_AFTER = 10
/** A connection that ends this soon was no success, ms. */
export const SHORT_MS = 10_000

/**
 * The peers that a keeper may connect to, and what became of it. Synchronous; no I/O.
 *
 * Room is by IP and by network group, not by PeerId: a new PeerId at a full place takes that of an older one which is not
 * connected. Which one is fair by origin, so that an origin that names much there pushes out its own.
 */
export class KeeperBook {
  readonly #entries = new Map<string, Entry>()
  /** Those that connected to this node and are held. */
  readonly #inbound = new PlaceCounts(PLACES)
  readonly #voices = new Voices()

  get(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  get size(): number {
    return this.#entries.size
  }

  /** Those that this node dialled, or is dialling. */
  get engaged(): Entry[] {
    return this.#where(({ dialling, outbound }) => dialling || outbound)
  }

  /** Those connected, whichever side dialled, but for those that are too many at one place. */
  get held(): Entry[] {
    return this.#where(({ held }) => held)
  }

  get available(): Entry[] {
    return this.#where(({ dialling, connectedAt }) => !dialling && connectedAt === undefined)
  }

  /** A peer was named, by these sources. Undefined when there is no room for it. */
  add(id: string, addresses: readonly OfferedAddress[], sources: readonly string[], anchor = false): Entry | undefined {
    let entry = this.#entries.get(id)
    if (entry === undefined) {
      entry = {
        id,
        addresses,
        places: placesAt(addresses),
        ips: new Set(),
        groups: new Set(),
        sources: new Set(sources),
        anchor,
        failures: 0,
        notBefore: 0,
        dialling: false,
        connectedAt: undefined,
        outbound: false,
        lasted: false,
        held: false,
        worked: anchor ? addresses[0] : undefined,
        cameFrom: [],
        aliveAt: 0,
      }
      if (!this.#makeRoomFor(entry)) {
        return undefined
      }
      this.#entries.set(id, entry)
    }
    this.#moveTo(entry, addresses)
    entry.anchor ||= anchor
    for (const source of sources) {
      entry.sources.add(source)
    }
    return entry
  }

  opened(entry: Entry, { outbound, at }: Opened, now: number): void {
    if (entry.connectedAt === undefined || (outbound && !entry.outbound)) {
      entry.connectedAt = now
      entry.lasted = false
      entry.groups = groupsOf(at === undefined ? [] : [at])
    }
    entry.aliveAt = now
    if (outbound) {
      this.#leaveInbound(entry)
      entry.outbound = entry.held = true
      entry.worked = at ?? entry.worked
      this.#moveTo(entry, entry.addresses)
    } else if (!entry.held) {
      this.#holdInbound(entry, at === undefined ? [] : [at.text])
    }
  }

  /** The last connection to it that this node dialled ended, and one that the peer dialled is left. */
  becameInbound(entry: Entry, at: OfferedAddress | undefined): void {
    entry.outbound = entry.held = false
    this.#holdInbound(entry, at === undefined ? [] : [at.text])
    this.#forgetVoicesIfAlone()
  }

  /** The last connection to it ended. */
  closed(entry: Entry, now: number, random: Random): void {
    const { connectedAt = now } = entry
    this.#leaveInbound(entry)
    entry.connectedAt = undefined
    entry.outbound = entry.held = false
    entry.groups = groupsOf(entry.addresses)
    if (now - connectedAt < SHORT_MS) {
      this.failed(entry, now, random)
    } else {
      entry.failures = 0
      entry.notBefore = now + backOff(1, PEER_BACK_OFF, random)
    }
    this.#forgetVoicesIfAlone()
  }

  failed(entry: Entry, now: number, random: Random): void {
    const origin = soleOrigin(entry)
    if (origin !== undefined && this.#hasOutbound) {
      this.#voices.failed(origin, entry.id, now)
    }
    entry.failures++
    entry.notBefore = now + backOff(entry.failures, PEER_BACK_OFF, random)
    if (entry.failures >= GIVE_UP_AFTER) {
      this.#entries.delete(entry.id)
    }
  }

  /** Time has passed: a connection that lasted shows that the origin that named the peer is a voice. */
  lasted(now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.outbound && !entry.lasted && now - entry.connectedAt! >= SHORT_MS) {
        entry.lasted = true
        const origin = soleOrigin(entry)
        if (origin !== undefined) {
          this.#voices.answered(origin)
        }
      }
    }
  }

  /** Whether an origin counts as one of several; see {@link Voices}. */
  isVoice(origin: string): boolean {
    return this.#voices.isVoice(origin, () => this.#where((entry) => soleOrigin(entry) === origin).map(({ id }) => id))
  }

  /** Whether a peer of an origin that is no voice is to be dialled beyond the target. */
  wantsFeeler(origin: string, now: number): boolean {
    return this.#voices.wantsFeeler(origin, now)
  }

  /** Where it is said to be; it stays known where it was last connected at. */
  #moveTo(entry: Entry, addresses: readonly OfferedAddress[]): void {
    const { worked } = entry
    entry.addresses =
      worked === undefined ? addresses : [worked, ...addresses.filter(({ text }) => text !== worked.text)]
    entry.places = placesAt(entry.addresses)
    entry.ips = new Set(entry.places.flatMap(({ key }) => (key.startsWith('ip ') ? key : [])))
    if (entry.connectedAt === undefined) {
      entry.groups = groupsOf(entry.addresses)
    }
  }

  get #hasOutbound(): boolean {
    return this.#entries.values().some(({ outbound }) => outbound)
  }

  #forgetVoicesIfAlone(): void {
    if (!this.#hasOutbound) {
      this.#voices.forget()
    }
  }

  #where(condition: (entry: Entry) => boolean): Entry[] {
    return this.#entries.values().filter(condition).toArray()
  }

  #holdInbound(entry: Entry, from: readonly string[]): void {
    if (this.#inbound.hasRoom(from)) {
      this.#inbound.add(from)
      entry.cameFrom = from
      entry.held = true
    }
  }

  #leaveInbound(entry: Entry): void {
    if (entry.held && !entry.outbound) {
      this.#inbound.remove(entry.cameFrom)
      entry.cameFrom = []
    }
  }

  /** False when all that would have to go has more right to its place. */
  #makeRoomFor(entry: Entry): boolean {
    if (this.#entries.size < CROWDED) {
      return true
    }
    const waiting = this.available
    const full = entry.places.flatMap(({ key, most }) => {
      const there = waiting.filter(({ places }) => places.some((place) => place.key === key))
      return there.length < most ? [] : [there]
    })
    const crowds = this.#entries.size < MAX_PROSPECTS ? full : [...full, waiting]
    const victims = crowds.map((crowd) => victimOf(crowd, entry))
    if (victims.includes(undefined)) {
      return false
    }
    for (const victim of victims) {
      this.#entries.delete(victim!.id)
    }
    return true
  }
}

function placesAt(addresses: readonly OfferedAddress[]): Place[] {
  return placesOf(
    addresses.map(({ text }) => text),
    PLACES,
  )
}

function groupsOf(addresses: readonly OfferedAddress[]): Set<string> {
  return new Set(addresses.flatMap(({ group }) => group ?? []))
}
