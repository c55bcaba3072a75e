// Dials back to registered addresses, within a budget.

import { beforeAbort } from '../base/before-abort.ts'
import type { Clock } from '../base/clock.ts'
import { FairRateLimiter } from '../base/fair-rate-limit.ts'
import { FairShares } from '../base/fair-shares.ts'
import { type RateLimit, RateLimiter } from '../base/rate-limit.ts'
import { ipOf } from '../peer/address.ts'
import { scopeOf, subnetsOf } from '../peer/ip.ts'
import type { Proof, Prover, Visit } from '../point/prover.ts'
import type { Registration } from '../registry/registration.ts'
import type { Dial, DialAnswer } from './dial.ts'

export interface ProberInit {
  readonly dial: Dial
  readonly clock: Clock
  readonly budget: ProofBudget
  /** What is wanted of a registered peer beside its proof. */
  readonly visitOf: (registration: Registration) => Visit | undefined
}

/** The budget of proofs. */
export interface ProofBudget {
  /** Dials at the same time. A dial lasts 4 s at most, so 64 can process a thousand silent addresses a minute. */
  readonly parallel: number
  /** Dials in all: what a crowd of newcomers can have the node send. The rest waits. */
  readonly overall: RateLimit
  /** How many proofs may wait; beyond, the last of the longest queue is answered `dial_busy`. */
  readonly queued: number
  /**
   * Dials to one public IP, and to one public network group, so that the node can't be used to flood either. Its subnets
   * share the turns of a group fairly.
   */
  readonly perIp: RateLimit
  readonly perGroup: RateLimit
}

/** First proofs, which newcomers wait for. */
export const FIRST_PROOFS: ProofBudget = {
  parallel: 64,
  // 500 peers of a test network that start at once have their outcomes within the 5 s that their answers wait.
  overall: { burst: 200, perSecond: 100 },
  queued: 4096,
  perIp: { burst: 32, perSecond: 0.5 },
  perGroup: { burst: 256, perSecond: 20 },
}
/**
 * Proofs of listed addresses. How many begin a second is for {@link ProofPace}; `overall` is what four cores could do. Of
 * 256 at once, with a tenth of them silent for 4 s, 500 a second end.
 */
export const NEXT_PROOFS: ProofBudget = {
  parallel: 256,
  overall: { burst: 4000, perSecond: 4000 },
  queued: 100_000,
  perIp: { burst: 64, perSecond: 1 },
  perGroup: { burst: 1024, perSecond: 20 },
}

/**
 * Proves registrations within a budget: dials at once, dials a second, and dials to one place. Waiting proofs take
 * turns by network group, inside it by subnet, and by address, so that a crowd of silent addresses in one of them delays
 * no other. Callers that wait for the same registration share one proof.
 */
export class Prober implements Prover {
  readonly #init: ProberInit
  readonly #budget: ProofBudget
  readonly #perIp: RateLimiter
  readonly #perGroup: FairRateLimiter
  readonly #overall: RateLimiter
  readonly #underWay = new Map<Registration | string, Promise<DialAnswer>>()
  readonly #waiting = new FairShares<Waiting>()
  #dialling = 0

  constructor(init: ProberInit) {
    this.#init = init
    this.#budget = init.budget
    this.#perIp = new RateLimiter(this.#budget.perIp)
    this.#perGroup = new FairRateLimiter(this.#budget.perGroup)
    this.#overall = new RateLimiter(this.#budget.overall, 1)
  }

  /** Proofs that run or wait. */
  get size(): number {
    return this.#underWay.size
  }

  /**
   * Resolves with whether the registered peer answers at its address; undefined when the signal ended the wait. The
   * proof itself goes on, for the next caller.
   */
  async prove(registration: Registration, signal?: AbortSignal): Promise<Proof | undefined> {
    const dialled = this.#dialOnce(registration, registration.address)
    const answer = await (signal === undefined ? dialled : beforeAbort(dialled, signal))
    if (answer === undefined) {
      return undefined
    }
    if ('fault' in answer) {
      return { ok: false, fault: answer.fault }
    }
    return answer.peerId === registration.peer.id ? { ok: true } : { ok: false, fault: 'dial_wrong_peer' }
  }

  /** The PeerId that answers at an address, or why none does. */
  identify(address: string): Promise<DialAnswer> {
    return this.#dialOnce(address, address)
  }

  #dialOnce(key: Registration | string, address: string): Promise<DialAnswer> {
    const known = this.#underWay.get(key)
    if (known !== undefined) {
      return known
    }
    const place = placeOf(address)
    const isFull = this.#waiting.size >= this.#budget.queued
    const last = isFull ? this.#waiting.whoGivesWay(place.subnets, 0) : undefined
    if ((isFull && last === undefined) || !this.#takesAnother(place)) {
      return Promise.resolve(BUSY)
    }
    if (last !== undefined) {
      this.#waiting.remove(last.subnets, last)
      last.end('gave way')
    }
    const answer = this.#dialInTurn(key, address, place).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, answer)
    return answer
  }

  /** Starts the proofs whose time has come. Call it a few times a second. */
  tick(): void {
    while (this.#waiting.size > 0 && this.#mayDial()) {
      this.#begin()
      this.#waiting.next()?.end('its turn')
    }
  }

  async #dialInTurn(key: Registration | string, address: string, { subnets }: Place): Promise<DialAnswer> {
    if (this.#waiting.size > 0 || !this.#mayDial()) {
      const ended = await new Promise<WaitingEnd>((end) => this.#waiting.add(subnets, { subnets, end }))
      if (ended === 'gave way') {
        return BUSY
      }
    } else {
      this.#begin()
    }
    try {
      return await this.#init.dial(address, typeof key === 'string' ? undefined : this.#init.visitOf(key))
    } finally {
      this.#dialling--
      this.tick()
    }
  }

  #mayDial(): boolean {
    return this.#dialling < this.#budget.parallel && this.#overall.wait(ALL, this.#init.clock()) === 0
  }

  #begin(): void {
    this.#dialling++
    this.#overall.take(ALL, this.#init.clock())
  }

  /**
   * Whether one more dial to this place is within the limit. Private ranges have none: a dial there reaches no third
   * party.
   */
  #takesAnother({ subnets, isPublic }: Place): boolean {
    if (!isPublic) {
      return true
    }
    const now = this.#init.clock()
    const host = subnets.at(-1)!
    if (this.#perIp.wait(host, now) > 0 || this.#perGroup.wait(subnets, now) > 0) {
      return false
    }
    this.#perIp.take(host, now)
    this.#perGroup.take(subnets, now)
    return true
  }
}

const ALL = ''
const BUSY: DialAnswer = { fault: 'dial_busy' }

/** A proof that waits for its turn. */
interface Waiting {
  readonly subnets: readonly string[]
  readonly end: (why: WaitingEnd) => void
}

type WaitingEnd = 'its turn' | 'gave way'

/** Where a dial goes. */
interface Place {
  /** Widest first; the last is one machine or one household. In a private range every machine is by itself. */
  readonly subnets: readonly string[]
  readonly isPublic: boolean
}

function placeOf(address: string): Place {
  const ip = ipOf(address)
  const isPublic = scopeOf(ip) === 'public'
  const subnets = subnetsOf(ip)
  return { subnets: isPublic ? subnets : subnets.slice(-1), isPublic }
}
