// A rate limit that the addresses of a subnet share fairly.

import { MAX_KEYS, type RateLimit } from './rate-limit.ts'
import { RecentMap } from './recent-map.ts'

/**
 * A bucket of turns that strangers share, such as those of a subnet, with fair shares inside it. A spender may take one
 * more turn as long as what it took, on every level, is no more than what is left: so turns are left for a newcomer,
 * however many ask too often. With `n` spenders that take all they can, each gets an `n`-th of the rate, and
 * `1 / (n + 1)` of the burst stays free. One that asks alone is held back by half of the burst only.
 *
 * This is the dynamic threshold by which switches share a buffer (Choudhury, Hahne: "Dynamic queue length thresholds for
 * shared-memory packet switches", 1998). What a spender took is forgotten at the rate at which the bucket refills, in
 * proportion to its part of what is missing. Each call costs a few steps a level.
 */
export class FairRateLimiter {
  readonly #limit: RateLimit
  readonly #buckets: RecentMap<string, Bucket>
  readonly #spent: RecentMap<string, Spent>

  constructor(limit: RateLimit, maxKeys: number = MAX_KEYS) {
    this.#limit = limit
    this.#buckets = new RecentMap(maxKeys)
    this.#spent = new RecentMap(2 * maxKeys)
  }

  /**
   * Returns the ms until the last one of a path may have a turn; 0 is now. Takes nothing.
   *
   * @param path the key of the bucket, then those of the spenders in it, widest first. A key stands for the same
   * place in every path.
   * @param cost in turns.
   */
  wait(path: readonly string[], now: number, cost = 1): number {
    const { burst, perSecond } = this.#limit
    const bucket = this.#buckets.get(path[0]!)
    if (bucket === undefined) {
      return (Math.max(0, cost - burst) / perSecond) * 1000
    }
    this.#refill(bucket, now)
    let spent = 0
    for (let at = 1; at < path.length; at++) {
      spent += this.#spentBy(path[at]!, bucket)
    }
    const excess = spent + cost - (burst - bucket.missing)
    // What is left grows with the rate, and what was spent shrinks by its part of it.
    const rate = perSecond * (1 + (bucket.missing > 0 ? spent / bucket.missing : 0))
    return (Math.max(0, excess) / rate) * 1000
  }

  /** Takes a turn, now or ahead of time: the caller has to wait for what {@link wait} returned. */
  take(path: readonly string[], now: number, cost = 1): void {
    const bucket = this.#buckets.get(path[0]!) ?? { missing: 0, at: now, forgotten: 0, spenders: {} }
    this.#refill(bucket, now)
    for (let at = 1; at < path.length; at++) {
      const key = path[at]!
      const turns = this.#spentBy(key, bucket) + cost
      this.#spent.set(key, { turns, forgotten: bucket.forgotten, spenders: bucket.spenders })
    }
    bucket.missing += cost
    this.#buckets.set(path[0]!, bucket)
  }

  #refill(bucket: Bucket, now: number): void {
    const turns = (Math.max(0, now - bucket.at) * this.#limit.perSecond) / 1000
    bucket.at = Math.max(bucket.at, now)
    if (turns >= bucket.missing) {
      bucket.missing = 0
      bucket.forgotten = 0
      bucket.spenders = {}
    } else {
      bucket.forgotten -= Math.log1p(-turns / bucket.missing)
      bucket.missing -= turns
    }
  }

  #spentBy(key: string, { forgotten, spenders }: Bucket): number {
    const spent = this.#spent.get(key)
    return spent?.spenders === spenders ? spent.turns * Math.exp(spent.forgotten - forgotten) : 0
  }
}

interface Bucket {
  /** Turns to a full bucket; more than the burst where turns were taken ahead of time. */
  missing: number
  at: number
  /** How much of each spender's turns is forgotten since `spenders`, as -ln of what is left of one. */
  forgotten: number
  /** Another object each time the bucket is full: no spender of before owes anything. */
  spenders: object
}

interface Spent {
  readonly turns: number
  /** The bucket's at the time. */
  readonly forgotten: number
  readonly spenders: object
}
