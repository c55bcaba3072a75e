// The peers that a restarted node connects to first.

import type { CachedPeer } from '../cache/cache-file.ts'
import type { Entry } from './keeper-book.ts'

/** A peer that was connected for so long is worth to be remembered, ms. */
export const ANCHOR_AGE_MS = 10 * 60_000
/** How often they are written, ms: what a node that is killed forgets. */
export const ANCHOR_INTERVAL_MS = 60_000

/**
 * The peers to come back to after a restart: those connected longest. Half as many as the target, so that whoever got
 * hold of them has not got hold of the node.
 */
export function anchorsOf(connected: readonly Entry[], target: number, now: number): CachedPeer[] {
  return connected
    .flatMap((entry) => (entry.connectedAt === undefined ? [] : [{ ...entry, connectedAt: entry.connectedAt }]))
    .filter(({ connectedAt }) => now - connectedAt >= ANCHOR_AGE_MS)
    .sort((a, b) => a.connectedAt - b.connectedAt)
    .slice(0, Math.ceil(target / 2))
    .map(({ id, addresses }) => ({ id, addresses: addresses.map(({ text }) => text), dialled: 1, workedAt: now }))
}
