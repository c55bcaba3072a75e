// Which peers to take from the offers of several bootstraps.

import { MAX_ADDRESSES } from '../../wire/bootstrap-codec.ts'
import type { OfferedPeer } from '../offered-peers.ts'

/** What one bootstrap says. Bootstraps of one `origin` have one voice: one of them named the others. */
export interface Offer {
  readonly origin: string
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
  /** Peers of one network group (a /16, or a /32 of IPv6). Loopback and private ranges have none. */
  readonly perGroup: number
}

export const CHOICE_CAPS: ChoiceCaps = { perOrigin: 64, perGroup: 16 }

/**
 * The peers to take out of what several bootstraps offer: those that more of them named first, then in the order they
 * were offered, within the caps. What the origins share is shared fairly: the places of a network group, and the
 * addresses of one peer. An origin that offers much pushes out nothing of what the others offer, also when it answers first.
 */
export function choosePeers(offers: readonly Offer[], caps: ChoiceCaps = CHOICE_CAPS): ChosenPeer[] {
  const candidates = [...merged(offers).values()].sort(
    (a, b) => b.origins.size - a.origins.size || a.position - b.position,
  )
  const admitted = admittedToGroups(candidates, caps.perGroup)
  const perOrigin = new Map<string, number>()
  const chosen: ChosenPeer[] = []
  for (const candidate of candidates) {
    const { id, origins, addresses } = candidate
    const payer = leastCharged(origins, perOrigin)
    const usable = [...addresses.values()].filter(
      ({ group }) => group === undefined || admitted.get(group)!.has(candidate),
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

/** For each network group the candidates that may use their addresses in it. */
function admittedToGroups(candidates: readonly Candidate[], perGroup: number): Map<string, ReadonlySet<Candidate>> {
  const claims = new Map<string, Map<Candidate, Claim>>()
  for (const candidate of candidates) {
    for (const { group, origins } of candidate.addresses.values()) {
      if (group !== undefined) {
        const inGroup = claims.get(group) ?? new Map<Candidate, Claim>()
        const { origins: known } = inGroup.get(candidate) ?? { origins: new Set() }
        claims.set(group, inGroup.set(candidate, { candidate, origins: new Set([...known, ...origins]) }))
      }
    }
  }
  return new Map(
    [...claims].map(([group, inGroup]) => [
      group,
      new Set(shared([...inGroup.values()], perGroup).map(({ candidate }) => candidate)),
    ]),
  )
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
  readonly addresses: Map<
    string,
    { readonly text: string; readonly group: string | undefined; readonly origins: Set<string> }
  >
  /** The best place it has in a list. */
  position: number
}

function merged(offers: readonly Offer[]): Map<string, Candidate> {
  const byId = new Map<string, Candidate>()
  for (const { origin, peers } of offers) {
    for (const [position, { id, addresses }] of peers.entries()) {
      const candidate = byId.get(id) ?? { id, origins: new Set(), addresses: new Map(), position }
      byId.set(id, candidate)
      candidate.origins.add(origin)
      candidate.position = Math.min(candidate.position, position)
      for (const { text, group } of addresses) {
        const known = candidate.addresses.get(text) ?? { text, group, origins: new Set() }
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
