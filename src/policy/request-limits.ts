import { type RateLimit, RateLimiter } from '../base/rate-limit.ts'
import type { Caller } from '../peer/caller.ts'
import { prefixOf } from '../peer/ip.ts'

/**
 * How often a client may ask. An honest node asks a few times an hour; the bursts are for crowds behind one NAT that
 * start together, and the rates keep the cost of one subnet below a few per cent of a core (0.4 ms a request).
 */
export const REQUEST_LIMITS = {
  peer: { burst: 100, perSecond: 5 },
  ip: { burst: 300, perSecond: 20 },
  subnet: { burst: 1000, perSecond: 50 },
  /** An address of a private range may stand for a whole test network, or for the NAT in front of this node. */
  privateIp: { burst: 20_000, perSecond: 2000 },
} as const satisfies Record<string, RateLimit>

/** A request that is early by no more than this waits for its turn instead of being refused, ms. */
export const LONGEST_WAIT_MS = 900

/** What becomes of a request: served after a delay in ms, or refused for a number of seconds. */
export type Turn = { readonly wait: number } | { readonly retryAfter: number }

/** The rates of requests, by peer, IP and subnet. Reconnecting changes none of them. */
export class RequestLimits {
  readonly #peers = new RateLimiter(REQUEST_LIMITS.peer)
  readonly #ips = new RateLimiter(REQUEST_LIMITS.ip)
  readonly #subnets = new RateLimiter(REQUEST_LIMITS.subnet)
  readonly #privateIps = new RateLimiter(REQUEST_LIMITS.privateIp)

  /** Whether {@link next} would not refuse the caller. Takes nothing. */
  hasTurn(caller: Caller, now: number): boolean {
    return this.#bucketsOf(caller).every(([limiter, key]) => limiter.wait(key, now) <= LONGEST_WAIT_MS)
  }

  /** Takes a turn for the caller, unless it is refused: a refusal costs the caller no turn, so that refusals end. */
  next(caller: Caller, now: number): Turn {
    const buckets = this.#bucketsOf(caller)
    const wait = Math.max(...buckets.map(([limiter, key]) => limiter.wait(key, now)))
    if (wait > LONGEST_WAIT_MS) {
      return { retryAfter: Math.ceil(wait / 1000) }
    }
    for (const [limiter, key] of buckets) {
      limiter.take(key, now)
    }
    return { wait }
  }

  /**
   * Takes turns for what a request cost beyond its own, once that is known, also ahead of time. Those of the PeerId are
   * left alone: it is free.
   */
  charge(caller: Caller, turns: number, now: number): void {
    for (const [limiter, key] of this.#bucketsOf(caller).slice(1)) {
      limiter.take(key, now, turns)
    }
  }

  #bucketsOf({ peerId, ip, scope }: Caller): ReadonlyArray<readonly [RateLimiter, string]> {
    return scope === 'public'
      ? [
          [this.#peers, peerId],
          [this.#ips, ip.family === 4 ? ip.text : prefixOf(ip, 64)],
          [this.#subnets, prefixOf(ip, ip.family === 4 ? 24 : 48)],
        ]
      : [
          [this.#peers, peerId],
          [this.#privateIps, ip.text],
        ]
  }
}
