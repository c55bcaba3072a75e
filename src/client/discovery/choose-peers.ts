import { MAX_ADDRESSES } from '../../wire/bootstrap-codec.ts'
import type { OfferedPeer } from '../offered-peers.ts'

/** What one bootstrap says. Bootstraps of one `origin` have one voice: one of them named the others. */
export interface Offer {
  readonly origin: string
  readonly peers: readonly OfferedPeer[]
}

export interface ChosenPeer {
  readonly id: string
  /** Multiaddrs without `/p2p`, those that more origins named first. */
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
 * were offered, within the caps. An origin that offers much does not push out what the others offer.
 */
export function choosePeers(offers: readonly Offer[], caps: ChoiceCaps = CHOICE_CAPS): ChosenPeer[] {
  const candidates = [...merged(offers).values()].sort(
    (a, b) => b.origins.size - a.origins.size || a.position - b.position,
  )
  const perOrigin = new Map<string, number>()
  const perGroup = new Map<string, number>()
  const chosen: ChosenPeer[] = []
  for (const { id, origins, addresses } of candidates) {
    const payer = leastCharged(origins, perOrigin)
    const usable = [...addresses.values()]
      .filter(({ group }) => group === undefined || (perGroup.get(group) ?? 0) < caps.perGroup)
      .sort((a, b) => b.origins.size - a.origins.size)
      .slice(0, MAX_ADDRESSES)
    if ((perOrigin.get(payer) ?? 0) >= caps.perOrigin || usable.length === 0) {
      continue
    }
    increment(perOrigin, payer)
    for (const group of new Set(usable.flatMap((each) => each.group ?? []))) {
      increment(perGroup, group)
    }
    chosen.push({ id, addresses: usable.map(({ text }) => text), origins: [...origins] })
  }
  return chosen
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
