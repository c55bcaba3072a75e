// The peers that a restarted node connects to first.

import type { CachedPeer } from '../cache/cache-file.ts'
import { CACHE_SOURCE, INBOUND_SOURCE } from '../source-tags.ts'
import type { Entry } from './entry.ts'

/** A peer that was connected for this long is worth remembering, ms. */
export const ANCHOR_AGE_MS = 10 * 60_000
/** How often they are written, ms: what a node that is killed forgets. */
export const ANCHOR_INTERVAL_MS = 60_000

/**
 * The peers to come back to after a restart: of those that this node has dialled, the ones connected longest. Half as many
 * as the target, so that an attacker that holds all of them does not hold the node. Peers that connected to this node are
 * none: a remote peer decides how long it stays.
 */
export function anchorsOf(held: readonly Entry[], target: number, now: number): CachedPeer[] {
  return held
    .flatMap((entry) => (entry.connectedAt === undefined ? [] : [{ ...entry, connectedAt: entry.connectedAt }]))
    .filter(({ connectedAt, outbound }) => outbound && now - connectedAt >= ANCHOR_AGE_MS)
    .sort((a, b) => a.connectedAt - b.connectedAt)
    .slice(0, Math.ceil(target / 2))
    .map(({ id, addresses, sources }) => ({
      id,
      addresses: addresses.map(({ text }) => text),
      dialled: 1,
      workedAt: now,
      origins: [...sources].filter((source) => source !== CACHE_SOURCE && source !== INBOUND_SOURCE),
    }))
}
