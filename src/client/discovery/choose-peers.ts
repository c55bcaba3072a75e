// Which peers to take from the offers of several bootstraps.

import { ipOf } from '../../peer/address.ts'
import { MAX_ADDRESSES } from '../../peer/limits.ts'
import type { OfferedAddress, OfferedPeer } from '../offered-peers.ts'
import { PER_GROUP, PER_PUBLIC_IP, type Place } from '../places.ts'

/** What one bootstrap says. Bootstraps of one `origin` have one voice: one of them named the others. */
export interface Offer {
  readonly origin: string
  /** Whether it is said by a sibling that the origin named. The origin's own list goes first. */
  readonly learned?: boolean
  readonly peers: readonly OfferedPeer[]
}

export interface ChosenPeer {
  readonly id: string
  /** Multiaddrs without `/p2p`: those that several origins named, then one of each origin in turn. At most 8. */
  readonly addresses: readonly string[]
  /** Who named it. */
  readonly origins: readonly string[]
}

/** How much of what is offered is believed. */
export interface ChoiceCaps {
  /** Peers that one origin brought in. A liar has this many lines to fill, however long its list. */
  readonly perOrigin: number
  /** Peers at one public IP, where enough others are offered. */
  readonly perIp: number
  /** Peers of one network group (a /16, or a /32 of IPv6). Loopback and private ranges have none. */
  readonly perGroup: number
}

/**
 * With fewer than these, peers at one public IP are counted by network group alone: all that there is may be behind one NAT. The
 * keeper still connects to one peer of an IP before it connects to two.
 */
const ENOUGH_PEERS = 16

export const CHOICE_CAPS: ChoiceCaps = { perOrigin: 64, perIp: PER_PUBLIC_IP, perGroup: PER_GROUP }

/**
 * The peers to take out of what several bootstraps offer: those that more of them named first, then in the order they
 * were offered, within the caps. What the origins share is shared fairly: the places of an IP and of a network group, and the
 * addresses of one peer. An origin that offers much pushes out nothing of what the others offer, also when it answers first.
 */
export function choosePeers(offers: readonly Offer[], caps: ChoiceCaps = CHOICE_CAPS): ChosenPeer[] {
  const chosen = within(caps, offers)
  return chosen.length >= ENOUGH_PEERS
    ? chosen
    : within({ ...caps, perIp: Math.max(caps.perIp, caps.perGroup) }, offers)
}

function within(caps: ChoiceCaps, offers: readonly Offer[]): ChosenPeer[] {
  const candidates = [...merged(offers).values()].sort(
    (a, b) => b.origins.size - a.origins.size || Number(a.learned) - Number(b.learned) || a.position - b.position,
  )
  const admitted = admittedToPlaces(candidates, caps)
  const perOrigin = new Map<string, number>()
  const chosen: ChosenPeer[] = []
  for (const candidate of candidates) {
    const { id, origins, addresses } = candidate
    const payer = leastCharged(origins, perOrigin)
    const usable = [...addresses.values()].filter(({ places }) =>
      places.every(({ key }) => admitted.get(key)!.has(candidate)),
    )
    if ((perOrigin.get(payer) ?? 0) < caps.perOrigin && usable.length > 0) {
      increment(perOrigin, payer)
      const texts = shared(usable, MAX_ADDRESSES).map(({ text }) => text)
      chosen.push({ id, addresses: texts, origins: [...origins] })
    }
  }
  return chosen
}

/** Who names each peer that is offered. */
export function originsByPeer(offers: readonly Offer[]): Map<string, Set<string>> {
  const byPeer = new Map<string, Set<string>>()
  for (const { origin, peers } of offers) {
    for (const { id } of peers) {
      byPeer.set(id, (byPeer.get(id) ?? new Set()).add(origin))
    }
  }
  return byPeer
}

/** For each public IP and network group the candidates that may use their addresses there. */
function admittedToPlaces(candidates: readonly Candidate[], caps: ChoiceCaps): Map<string, ReadonlySet<Candidate>> {
  const claims = new Map<string, { readonly most: number; readonly byCandidate: Map<Candidate, Claim> }>()
  for (const candidate of candidates) {
    for (const address of candidate.addresses.values()) {
      address.places = placesAt(address, caps)
      for (const { key, most } of address.places) {
        const { byCandidate } = claims.get(key) ?? { byCandidate: new Map<Candidate, Claim>() }
        const { origins: known } = byCandidate.get(candidate) ?? { origins: new Set() }
        byCandidate.set(candidate, { candidate, origins: new Set([...known, ...address.origins]) })
        claims.set(key, { most, byCandidate })
      }
    }
  }
  return new Map(
    [...claims].map(([key, { most, byCandidate }]) => [
      key,
      new Set(shared([...byCandidate.values()], most).map(({ candidate }) => candidate)),
    ]),
  )
}

/** Where an address takes up room: nowhere in loopback and private ranges. */
function placesAt({ text, group }: OfferedAddress, { perIp, perGroup }: ChoiceCaps): Place[] {
  return group === undefined
    ? []
    : [
        { key: `ip ${ipOf(text).text}`, most: perIp },
        { key: `group ${group}`, most: perGroup },
      ]
}

interface Claim {
  readonly candidate: Candidate
  readonly origins: ReadonlySet<string>
}

/**
 * The first `most` of the items that origins named: those of several origins, most origins first; then turn by turn one
 * of each origin, so that each gets a place before any gets a second.
 */
function shared<Item extends { readonly origins: ReadonlySet<string> }>(items: readonly Item[], most: number): Item[] {
  const common = items.filter(({ origins }) => origins.size > 1).sort((a, b) => b.origins.size - a.origins.size)
  const byOrigin = Map.groupBy(
    items.filter(({ origins }) => origins.size === 1),
    ({ origins: [only] }) => only,
  )
  const lists = [...byOrigin.values()]
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  const inTurn = Array.from({ length: longest }, (_, turn) => lists.flatMap((list) => list[turn] ?? [])).flat()
  return [...common, ...inTurn].slice(0, most)
}

interface Candidate {
  readonly id: string
  readonly origins: Set<string>
  readonly addresses: Map<string, CandidateAddress>
  /** Whether only siblings of its origins name it. */
  learned: boolean
  /** The best place it has in a list. */
  position: number
}

interface CandidateAddress extends OfferedAddress {
  readonly origins: Set<string>
  places: readonly Place[]
}

function merged(offers: readonly Offer[]): Map<string, Candidate> {
  const byId = new Map<string, Candidate>()
  const ownFirst = offers.toSorted((a, b) => Number(a.learned === true) - Number(b.learned === true))
  for (const { origin, learned = false, peers } of ownFirst) {
    for (const [position, { id, addresses }] of peers.entries()) {
      const candidate = byId.get(id) ?? { id, origins: new Set(), addresses: new Map(), learned, position }
      byId.set(id, candidate)
      candidate.origins.add(origin)
      candidate.position = Math.min(candidate.position, position)
      for (const { text, group } of addresses) {
        const known = candidate.addresses.get(text) ?? { text, group, origins: new Set(), places: [] }
        candidate.addresses.set(text, known)
        known.origins.add(origin)
      }
    }
  }
  return byId
}

function leastCharged(origins: ReadonlySet<string>, charges: ReadonlyMap<string, number>): string {
  return [...origins].reduce((a, b) => ((charges.get(b) ?? 0) < (charges.get(a) ?? 0) ? b : a))
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
