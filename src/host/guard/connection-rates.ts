import { type RateLimit, RateLimiter } from '../../base/rate-limit.ts'
import { type Ip, isLimited, type Scope } from '../../peer/ip.ts'
import { groupsOf } from './connection-table.ts'

/**
 * How often one IP or subnet may connect. A handshake costs about 2 ms, so a /24 at its limit takes a tenth of a core.
 * The bursts let a crowd behind one NAT start together.
 */
export const CONNECTION_RATES = {
  ip: { burst: 300, perSecond: 20 },
  subnet: { burst: 1000, perSecond: 50 },
  /** One machine may run a whole test network, started at once. */
  privateIp: { burst: 4000, perSecond: 1000 },
} as const satisfies Record<string, RateLimit>

/** What a connection that is hung up on for abuse costs its subnet, in connections. */
export const STRIKE_TURNS = 16

/** The rates of new connections, by the subnet they come from. Hanging up and connecting again changes nothing. */
export class ConnectionRates {
  readonly #ips = new RateLimiter(CONNECTION_RATES.ip)
  readonly #subnets = new RateLimiter(CONNECTION_RATES.subnet)
  readonly #privateIps = new RateLimiter(CONNECTION_RATES.privateIp)

  /** Whether one more may connect now. Counts it only if so. */
  admits(ip: Ip, scope: Scope, now: number): boolean {
    const buckets = this.#bucketsOf(ip, scope)
    if (buckets.some(([limiter, key]) => limiter.wait(key, now) > 0)) {
      return false
    }
    for (const [limiter, key] of buckets) {
      limiter.take(key, now)
    }
    return true
  }

  /** Delays the next connections from there; not where many peers may share one address. */
  strike(ip: Ip, scope: Scope, now: number): void {
    if (!isLimited(scope)) {
      return
    }
    for (const [limiter, key] of this.#bucketsOf(ip, scope)) {
      for (let turn = 0; turn < STRIKE_TURNS && limiter.wait(key, now) === 0; turn++) {
        limiter.take(key, now)
      }
    }
  }

  #bucketsOf(ip: Ip, scope: Scope): ReadonlyArray<readonly [RateLimiter, string]> {
    if (!isLimited(scope)) {
      return [[this.#privateIps, ip.text]]
    }
    const [own, subnet] = groupsOf(ip)
    return [
      [this.#ips, own],
      [this.#subnets, subnet],
    ]
  }
}
