// When a connection is idle: for how long it may be, and when it may be evicted for a newcomer.

import type { GuardedSlot } from './guarded-slot.ts'

/**
 * A connection without a stream in use for this long is idle, ms, while the table is less than half full. go-libp2p and
 * kubo keep a connection to their bootstrap and connect again when it ends.
 */
export const IDLE_MS = 300_000
/** The same in a full table, ms: connecting again costs one handshake. From half full it falls linearly. */
export const FULL_IDLE_MS = 60_000
/** From this fraction of the table up, idle connections are hung up on early, as many as are too many. */
export const CROWDED = 0.8
/** How long those have been idle at least, ms, in a full table. It falls linearly, too. */
export const CROWDED_IDLE_MS = 5000

/** Which connections may be evicted for a newcomer, by ms of quiet. */
const NEVER_USED_MS = 1000
const NO_STREAM_MS = 5000
/** A stream may be quiet while its answer waits for dial-backs (5 s) and for its reader (5 s). */
const QUIET_STREAM_MS = 15_000
/** When there is none of these: a connection that has not asked yet, or has its answer. */
const HASTY_NEVER_USED_MS = 250
const HASTY_NO_STREAM_MS = 2000
/** A connection that keeps a stream busy without opening another one, as a ping does, is evicted in the end. */
const NO_NEW_STREAM_MS = 30_000
/** And half-open ones: silent so far, or silent since. */
const NOTHING_SAID_MS = 250
const NOTHING_MORE_SAID_MS = 1000

type Quiet = (slot: GuardedSlot, now: number) => boolean

/** Which half-open connection may be evicted: what the first one accepts, if any, and so on. */
export const SILENT_SO_FAR: readonly Quiet[] = [
  (slot, now) => slot.waiting === 0 && slot.bytes === 0 && now - slot.since >= NOTHING_SAID_MS,
  (slot, now) => slot.waiting === 0 && now - slot.heardAt >= NOTHING_MORE_SAID_MS,
]

/** Which open connection may be evicted: what the first one accepts, if any, and so on. */
export const IDLE_SO_FAR: readonly Quiet[] = [
  (slot, now) => quietFor(slot, now) >= quietLimit(slot, NEVER_USED_MS, NO_STREAM_MS),
  (slot, now) => quietFor(slot, now) >= quietLimit(slot, HASTY_NEVER_USED_MS, HASTY_NO_STREAM_MS),
  (slot, now) => slot.waiting === 0 && now - (slot.askedAt ?? slot.since) >= NO_NEW_STREAM_MS,
]

/** How long no stream of a connection was used, ms; 0 while bytes of it wait here. */
export function quietFor(slot: GuardedSlot, now: number): number {
  return slot.waiting > 0 ? 0 : now - (slot.usedAt ?? slot.since)
}

/** How long a connection may be idle, ms, by how full the table is, 0 to 1. `early` is for those that are too many. */
export function idleLimits(fullness: number): { readonly limit: number; readonly early: number } {
  const limit = between(IDLE_MS, FULL_IDLE_MS, (fullness - 0.5) / 0.5)
  return { limit, early: between(limit, CROWDED_IDLE_MS, (fullness - CROWDED) / (1 - CROWDED)) }
}

function between(from: number, to: number, part: number): number {
  return from + Math.min(1, Math.max(0, part)) * (to - from)
}

function quietLimit(slot: GuardedSlot, neverUsed: number, noStream: number): number {
  if (slot.usedAt === undefined) {
    return neverUsed
  }
  return slot.streams() === 0 ? noStream : QUIET_STREAM_MS
}
