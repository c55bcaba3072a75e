// The peers that a keeper can connect to, and the results of its dials.

import { type BackOff, backOff } from '../../base/back-off.ts'
import type { Random } from '../../base/random.ts'
import { RecentMap } from '../../base/recent-map.ts'
import { ipOf } from '../../peer/address.ts'
import type { OfferedAddress } from '../offered-peers.ts'
import { PER_GROUP, PER_PUBLIC_IP, PlaceCounts, placesOf } from '../places.ts'
import { type Entry, newEntry, type Opened, victimOf } from './entry.ts'
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
/** IPs of which it is known how often they were dialled: several for each peer. */
const MAX_DIALLED_IPS = 8 * MAX_PROSPECTS

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
  readonly #dials = new RecentMap<string, number>(MAX_DIALLED_IPS)

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
      entry = newEntry(id, addresses, sources, anchor)
      this.#moveTo(entry, addresses)
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
      this.#seenAt(entry, at === undefined ? [] : [at])
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
    this.#seenAt(entry, entry.addresses)
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

  dialling(entry: Entry): void {
    entry.dialling = true
    for (const ip of entry.groups.size === 0 ? [] : entry.ips) {
      this.#dials.set(ip, this.dialsAt(ip) + 1)
    }
  }

  /** How often peers at a public IP were dialled; 0 in private ranges, where all are neighbours. */
  dialsAt(ip: string): number {
    return this.#dials.get(ip) ?? 0
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
    entry.places = placesOf(
      entry.addresses.map(({ text }) => text),
      PLACES,
    )
    if (entry.connectedAt === undefined) {
      this.#seenAt(entry, entry.addresses)
    }
  }

  #seenAt(entry: Entry, addresses: readonly OfferedAddress[]): void {
    entry.groups = new Set(addresses.flatMap(({ group }) => group ?? []))
    entry.ips = new Set(addresses.map(({ text }) => ipOf(text).text))
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
