import { MAX_ADDRESSES } from '../../wire/bootstrap-codec.ts'
import type { OfferedPeer } from '../offered-peers.ts'

/** What one bootstrap says. Bootstraps of one `root` have one voice: one of them named the others. */
export interface Offer {
  readonly root: string
  readonly peers: readonly OfferedPeer[]
}

export interface ChosenPeer {
  readonly id: string
  /** Multiaddrs without `/p2p`, those that more roots named first. */
  readonly addresses: readonly string[]
  /** Who named it. */
  readonly roots: readonly string[]
}

/** How much of what is offered is believed. */
export interface ChoiceCaps {
  /** Peers that one root brought in. A liar has this many lines to fill, however long its list. */
  readonly perRoot: number
  /** Peers of one network group (a /16, or a /32 of IPv6). Loopback and private ranges have none. */
  readonly perGroup: number
}

export const CHOICE_CAPS: ChoiceCaps = { perRoot: 64, perGroup: 16 }

/**
 * The peers to take out of what several bootstraps offer: those that more of them named first, then in the order they
 * were offered, within the caps. A root that offers much does not push out what the others offer.
 */
export function choosePeers(offers: readonly Offer[], caps: ChoiceCaps = CHOICE_CAPS): ChosenPeer[] {
  const candidates = [...merged(offers).values()].sort((a, b) => b.roots.size - a.roots.size || a.position - b.position)
  const perRoot = new Map<string, number>()
  const perGroup = new Map<string, number>()
  const chosen: ChosenPeer[] = []
  for (const { id, roots, addresses } of candidates) {
    const payer = leastCharged(roots, perRoot)
    const usable = [...addresses.values()]
      .filter(({ group }) => group === undefined || (perGroup.get(group) ?? 0) < caps.perGroup)
      .sort((a, b) => b.roots.size - a.roots.size)
      .slice(0, MAX_ADDRESSES)
    if ((perRoot.get(payer) ?? 0) >= caps.perRoot || usable.length === 0) {
      continue
    }
    increment(perRoot, payer)
    for (const group of new Set(usable.flatMap((each) => each.group ?? []))) {
      increment(perGroup, group)
    }
    chosen.push({ id, addresses: usable.map(({ text }) => text), roots: [...roots] })
  }
  return chosen
}

interface Candidate {
  readonly id: string
  readonly roots: Set<string>
  readonly addresses: Map<
    string,
    { readonly text: string; readonly group: string | undefined; readonly roots: Set<string> }
  >
  /** The best place it has in a list. */
  position: number
}

function merged(offers: readonly Offer[]): Map<string, Candidate> {
  const byId = new Map<string, Candidate>()
  for (const { root, peers } of offers) {
    for (const [position, { id, addresses }] of peers.entries()) {
      const candidate = byId.get(id) ?? { id, roots: new Set(), addresses: new Map(), position }
      byId.set(id, candidate)
      candidate.roots.add(root)
      candidate.position = Math.min(candidate.position, position)
      for (const { text, group } of addresses) {
        const known = candidate.addresses.get(text) ?? { text, group, roots: new Set() }
        candidate.addresses.set(text, known)
        known.roots.add(root)
      }
    }
  }
  return byId
}

function leastCharged(roots: ReadonlySet<string>, charges: ReadonlyMap<string, number>): string {
  return [...roots].reduce((a, b) => ((charges.get(b) ?? 0) < (charges.get(a) ?? 0) ? b : a))
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
