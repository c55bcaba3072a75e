import { FairRateLimiter } from '../../base/fair-rate-limit.ts'
import { type RateLimit, RateLimiter } from '../../base/rate-limit.ts'
import { type Ip, isLimited, type Scope, subnetsOf } from '../../peer/ip.ts'

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

/**
 * The rates of new connections, by the subnet they come from: of an IPv4 address or IPv6 /64 and, shared fairly inside
 * it, of a /24 or /48. Hanging up and connecting again changes nothing.
 */
export class ConnectionRates {
  readonly #ips = new RateLimiter(CONNECTION_RATES.ip)
  readonly #subnets = new FairRateLimiter(CONNECTION_RATES.subnet)
  readonly #privateIps = new RateLimiter(CONNECTION_RATES.privateIp)

  /** Whether one more may connect now. Counts it only if so. */
  admits(ip: Ip, scope: Scope, now: number): boolean {
    const waits = this.#waits(ip, scope, now)
    if (!waits) {
      this.#take(ip, scope, now)
    }
    return !waits
  }

  /** Delays the next connections from there; not where many peers may share one address. */
  strike(ip: Ip, scope: Scope, now: number): void {
    if (!isLimited(scope)) {
      return
    }
    for (let turn = 0; turn < STRIKE_TURNS && !this.#waits(ip, scope, now); turn++) {
      this.#take(ip, scope, now)
    }
  }

  #waits(ip: Ip, scope: Scope, now: number): boolean {
    if (!isLimited(scope)) {
      return this.#privateIps.wait(ip.text, now) > 0
    }
    const [, ...nested] = subnetsOf(ip)
    return this.#ips.wait(nested.at(-1)!, now) > 0 || this.#subnets.wait(nested, now) > 0
  }

  #take(ip: Ip, scope: Scope, now: number): void {
    if (!isLimited(scope)) {
      this.#privateIps.take(ip.text, now)
      return
    }
    const [, ...nested] = subnetsOf(ip)
    this.#ips.take(nested.at(-1)!, now)
    this.#subnets.take(nested, now)
  }
}
