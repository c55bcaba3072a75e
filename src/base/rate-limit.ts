// Rate limits by key, such as an IP: how long each has to wait for its next turn.

import { RecentMap } from './recent-map.ts'

export interface RateLimit {
  /** Requests that may come at once. */
  readonly burst: number
  /** Requests a second, sustained. */
  readonly perSecond: number
}

/** The most keys remembered. The ones served longest ago are forgotten first, and those are full again anyway. */
export const MAX_KEYS = 50_000

/**
 * How long each key has to wait for its next turn. A bucket of `burst` turns that refills. A caller that is early gets
 * the time to wait and may be queued for it, so that a burst of honest newcomers is slowed down before it is refused.
 * The clock is an argument; reconnecting changes nothing, since keys are not connections.
 */
export class RateLimiter {
  readonly #limit: RateLimit
  /** When a key's bucket will be full again, ms. One number a key (the "virtual scheduling" form of the leaky bucket). */
  readonly #fullAt: RecentMap<string, number>

  constructor(limit: RateLimit, maxKeys: number = MAX_KEYS) {
    this.#limit = limit
    this.#fullAt = new RecentMap(maxKeys)
  }

  get size(): number {
    return this.#fullAt.size
  }

  /** Returns the ms until the key may have a turn; 0 is now. Takes nothing. */
  wait(key: string, now: number): number {
    const turn = 1000 / this.#limit.perSecond
    return Math.max(0, this.#fullFrom(key, now) + turn - now - this.#limit.burst * turn)
  }

  /** Takes a turn, now or ahead of time: the caller has to wait for what {@link wait} returned. */
  take(key: string, now: number, cost = 1): void {
    const turn = 1000 / this.#limit.perSecond
    this.#fullAt.set(key, this.#fullFrom(key, now) + cost * turn)
  }

  #fullFrom(key: string, now: number): number {
    return Math.max(this.#fullAt.get(key) ?? now, now)
  }
}
