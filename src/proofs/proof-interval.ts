// How long after a dial-back the next one is due.

import { jittered } from '../base/back-off.ts'
import type { Random } from '../base/random.ts'

/** How long to wait from one proof of a peer to the next, in parts of `reproveInterval`, by how long it has answered, ms. */
export type IntervalOf = (age: number) => number

/** The bounds with the jitter inside, in parts of `reproveInterval`: 5 and 18 minutes of its default of 15. */
export const SHORTEST = 1 / 3
export const LONGEST = 1.2
/** Proofs are spread out, so that a restart does not make them all due at once from then on. */
export const JITTER = 0.1

const LEAST = SHORTEST / (1 - JITTER)
const MOST = LONGEST / (1 + JITTER)
/**
 * After an hour, 9 of 15 minutes. With it, peers whose sessions last 24 h on average are dialed as often as by a fixed
 * interval, within 2 %, whether their sessions are Weibull of shape 0.4, 0.5 or 0.6.
 */
const AFTER_AN_HOUR = 0.6
const HOUR_MS = 3_600_000

/**
 * Young peers die soonest, so they are asked more often. Of all ways to spend as many dials, the one with the fewest dead
 * addresses in the answers has intervals in proportion to 1/√hazard; the hazard of a Weibull of shape 1/2 falls as 1/√age,
 * so the interval grows as the fourth root of the age. `docs/decisions/0013-proof-intervals.md` has the arithmetic.
 */
export const byAge: IntervalOf = (age) =>
  Math.min(MOST, Math.max(LEAST, AFTER_AN_HOUR * (Math.max(0, age) / HOUR_MS) ** 0.25))

/** From this part of what the dials can do on, the intervals become alike; at 1 all are the longest. */
const CROWDED_FROM = 0.8

/**
 * How long to wait for the next proof, in parts of `reproveInterval`, when `load` of the dials that may be made are needed.
 * Where they are too few all wait alike, without jitter: then first come, first served is fair, since each peer comes round
 * in its place.
 */
export function nextPart(part: number, load: number, random: Random): number {
  const crowded = Math.min(1, Math.max(0, (load - CROWDED_FROM) / (1 - CROWDED_FROM)))
  return jittered(Math.max(part, LEAST + crowded * (MOST - LEAST)), JITTER * (1 - crowded), random)
}

/** After a miss: at the default of 15 min after 15 s, 1 min and 5 min, then as usual. */
const RETRIES = [1 / 60, 1 / 15, 1 / 3]
/** Wider than that of the intervals: what was lost at one moment is not to be asked at one. */
const RETRY_JITTER = 0.2

/** How long to wait after so many misses in a row, in parts of `reproveInterval`. */
export function retryPart(misses: number, random: Random): number {
  return jittered(RETRIES[misses - 1] ?? 1, RETRY_JITTER, random)
}
