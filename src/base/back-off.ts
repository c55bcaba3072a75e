// How long to wait after failures in a row.

import type { Random } from './random.ts'

export interface BackOff {
  /** The window after the first failure, ms. It doubles with each further one. */
  readonly first: number
  /** The widest window, ms. */
  readonly most: number
}

/**
 * Returns how long to wait after `failures` in a row, ms: half a window to one and a half. The spread is as wide as
 * the window, so that clients that failed together come back evenly.
 */
export function backOff(failures: number, { first, most }: BackOff, random: Random): number {
  return doubling(failures, { first, most }) * (0.5 + random())
}

/** The window after `failures` in a row, ms, without a spread: for a disk of our own, which no other node retries. */
export function doubling(failures: number, { first, most }: BackOff): number {
  return Math.min(most, first * 2 ** Math.min(failures - 1, 30))
}

/** `ms`, more or less a `part` of it. */
export function jittered(ms: number, part: number, random: Random): number {
  return ms * (1 + part * (2 * random() - 1))
}
