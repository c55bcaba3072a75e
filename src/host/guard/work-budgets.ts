import { FairRateLimiter } from '../../base/fair-rate-limit.ts'
import type { RateLimit } from '../../base/rate-limit.ts'
import type { GuardedSlot } from './guarded-slot.ts'

/**
 * What serving the input of one connection, of one public address (an IPv6 /64) and of one subnet (/24, /48) may cost,
 * in units of about 10 µs. A connection: a hundred streams at once, 60 ms of work, and 1.5 % of a core after that. An
 * address: twice that, at once four times; a subnet: four times, at once eight times. The limits on requests of an
 * address (100 at once, then 5 a second) and of a subnet (50 a second) are reached first, by requests of one stream each.
 */
export const WORK_BUDGETS = {
  connection: { burst: 6144, perSecond: 1536 },
  ip: { burst: 4 * 6144, perSecond: 2 * 1536 },
  subnet: { burst: 8 * 6144, perSecond: 4 * 1536 },
} as const satisfies Record<string, RateLimit>

/**
 * The work that connections of an address, and addresses of a subnet, share. Inside either shares are fair: who spends
 * little is served however much the others spend.
 */
export class WorkBudgets {
  readonly #ips = new FairRateLimiter(WORK_BUDGETS.ip)
  readonly #subnets = new FairRateLimiter(WORK_BUDGETS.subnet)
  #connections = 0

  /** Returns what spends for one connection: false, and nothing is spent, when its share is used up. */
  of({ networks, limited }: Pick<GuardedSlot, 'networks' | 'limited'>): (work: number, now: number) => boolean {
    if (!limited) {
      return () => true
    }
    this.#connections++
    const ofIp = [networks.at(-1)!, String(this.#connections)]
    const ofSubnet = networks.slice(1)
    return (work, now) => {
      if (this.#ips.wait(ofIp, now, work) > 0 || this.#subnets.wait(ofSubnet, now, work) > 0) {
        return false
      }
      this.#ips.take(ofIp, now, work)
      this.#subnets.take(ofSubnet, now, work)
      return true
    }
  }
}
