// How often a client may ask.

import { FairRateLimiter } from '../base/fair-rate-limit.ts'
import { type RateLimit, RateLimiter } from '../base/rate-limit.ts'
import type { Caller } from '../peer/caller.ts'
import { isLimited, subnetsOf } from '../peer/ip.ts'

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

/** A request that is early for its peer or IP by no more than this waits for its turn instead of being refused, ms. */
export const LONGEST_WAIT_MS = 900

/** What becomes of a request: served after a delay in ms, or refused for a number of seconds. */
export type Turn = { readonly wait: number } | { readonly retryAfter: number }

/**
 * The rates of requests, by peer, IP and subnet. Reconnecting changes none of them. The turns of a /24 or /48 are shared by
 * its addresses, /56 and /64: {@link FairRateLimiter}.
 */
export class RequestLimits {
  readonly #peers = new RateLimiter(REQUEST_LIMITS.peer)
  readonly #ips = new RateLimiter(REQUEST_LIMITS.ip)
  readonly #subnets = new FairRateLimiter(REQUEST_LIMITS.subnet)
  readonly #privateIps = new RateLimiter(REQUEST_LIMITS.privateIp)

  /** Whether {@link next} would not refuse the caller. Takes nothing. */
  hasTurn(caller: Caller, now: number): boolean {
    return !('retryAfter' in this.#turnOf(caller, now))
  }

  /** Takes a turn for the caller, unless it is refused: a refusal costs the caller no turn, so that refusals end. */
  next(caller: Caller, now: number): Turn {
    const turn = this.#turnOf(caller, now)
    if ('wait' in turn) {
      this.#peers.take(caller.peerId, now)
      this.charge(caller, 1, now)
    }
    return turn
  }

  /**
   * Takes turns for what a request cost beyond its own, once that is known, also ahead of time. Those of the PeerId are
   * left alone: it is free.
   */
  charge({ ip, scope }: Caller, turns: number, now: number): void {
    if (isLimited(scope)) {
      const subnets = subnetsOf(ip).slice(1)
      this.#ips.take(subnets.at(-1)!, now, turns)
      this.#subnets.take(subnets, now, turns)
    } else {
      this.#privateIps.take(ip.text, now, turns)
    }
  }

  #turnOf({ peerId, ip, scope }: Caller, now: number): Turn {
    const subnets = isLimited(scope) ? subnetsOf(ip).slice(1) : undefined
    const own = subnets === undefined ? this.#privateIps.wait(ip.text, now) : this.#ips.wait(subnets.at(-1)!, now)
    const wait = Math.max(this.#peers.wait(peerId, now), own)
    // Nothing is taken ahead of time out of what others share: the next newcomer would have to wait for it.
    const untilShare = subnets === undefined ? 0 : this.#subnets.wait(subnets, now)
    return wait > LONGEST_WAIT_MS || untilShare > 0
      ? { retryAfter: Math.ceil(Math.max(wait, untilShare) / 1000) }
      : { wait }
  }
}
