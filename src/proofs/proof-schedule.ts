import { jittered } from '../base/back-off.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type RateLimit, RateLimiter } from '../base/rate-limit.ts'
import type { RendezvousPoint } from '../point/rendezvous-point.ts'
import { isStatic, type Registration, type StaticEntry, type StaticRegistration } from '../registry/registration.ts'
import type { Prober } from './prober.ts'

export interface ProofScheduleInit {
  readonly point: RendezvousPoint
  /** Proves addresses that have never answered, with the newcomers' budget. */
  readonly first: Prober
  /** Proves addresses that have answered before. */
  readonly next: Prober
  /** How long a proof counts before the next one is due, ms, ± {@link JITTER}. */
  readonly interval: number
  readonly clock: Clock
  readonly random: Random
}

/** Proofs are spread out, so that a restart does not make them all due at once from then on. */
export const JITTER = 0.2
/** A proof may be this many times older than the interval before its address leaves the answers: 15 min → 20 min. */
export const MAX_AGE_FACTOR = 4 / 3
/** A new entry is checked again sooner: most of those that leave, leave early. */
const FIRST_INTERVAL = 1 / 3
/** After a miss, in parts of the interval: at the default of 15 min after 15 s, 1 min and 5 min, then as usual. */
const RETRIES = [1 / 60, 1 / 15, 1 / 3]
/** A registration is given up early after this many misses in a row: over an hour at the defaults. */
const GIVE_UP_AFTER = 8
/** One that never answered is given up sooner: only its owner misses it. */
const GIVE_UP_UNPROVEN_AFTER = 3
/**
 * Proofs that begin at once because another peer answered at the address: what a machine that answers under two
 * identities in turn can have the node dial. Beyond, such a proof is the second retry.
 */
const CONTESTS: RateLimit = { burst: 4, perSecond: 1 / 15 }
/** The resolution of the schedule, ms: the tick at the default interval, and the same fraction of a longer one. */
const GRAIN_MS = 250
const MAX_GRAINS = 3600

/**
 * Decides when each registration is proved again, and each of the operator's entries that names no peer, until one
 * answers there. A calendar of lists, one for each unit of time: adding is one push, and entries that were moved or
 * removed are recognised when their time comes.
 */
export class ProofSchedule {
  readonly #init: ProofScheduleInit
  readonly #calendar = new Map<number, Due[]>()
  readonly #contests = new RateLimiter(CONTESTS)
  /** The proofs that run: each runs once, however many callers wait for it. */
  readonly #underWay = new Map<Registration, Promise<void>>()
  /** The origin of the units, ms: small numbers are stored without a box. */
  readonly #start: number
  /** In ms. */
  readonly #grain: number
  #reached = 0
  #statics: Iterable<StaticEntry> | undefined
  #stopped = false

  constructor(init: ProofScheduleInit) {
    this.#init = init
    this.#start = init.clock()
    this.#grain = Math.max(GRAIN_MS, init.interval / MAX_GRAINS)
  }

  /** Watches a registration from now on. */
  track(registration: Registration): void {
    const now = this.#init.clock()
    if (registration.health !== 'reachable') {
      this.#plan(registration, now)
      return
    }
    this.#plan(registration, Math.max(now, registration.provedAt + this.#interval(registration)))
    if (registration.provedSince === registration.provedAt && registration.registeredAt > now - this.#init.interval) {
      this.#doubtSiblings(registration)
    }
  }

  /** Another peer answered at the address of a registration: proves it again at once, within {@link CONTESTS}. */
  doubt(registration: Registration): void {
    const now = this.#init.clock()
    if (this.#contests.wait(registration.address, now) > 0) {
      this.#plan(registration, now + this.#jittered(RETRIES[1]!))
      return
    }
    this.#contests.take(registration.address, now)
    void this.proveNow(registration)
  }

  /** Proves a watched registration ahead of its time. Never rejects. */
  async proveNow(registration: Registration): Promise<void> {
    const before = this.#underWay.get(registration)
    const proving = before ?? this.#proveRegistration(registration).finally(() => this.#underWay.delete(registration))
    this.#underWay.set(registration, proving)
    await proving
  }

  /** Starts the proofs that are due. */
  tick(): void {
    this.#trackUnidentified()
    const now = Math.floor((this.#init.clock() - this.#start) / this.#grain)
    for (; this.#reached <= now; this.#reached++) {
      const due = this.#calendar.get(this.#reached)
      this.#calendar.delete(this.#reached)
      for (const each of due ?? []) {
        this.#prove(each, this.#reached)
      }
    }
    this.#init.first.tick()
    this.#init.next.tick()
  }

  stop(): void {
    this.#stopped = true
    this.#calendar.clear()
  }

  #prove(due: Due, grain: number): void {
    if ('peer' in due) {
      if (due.dueAt === grain) {
        void this.proveNow(due)
      }
    } else {
      this.#identify(due)
    }
  }

  async #proveRegistration(registration: Registration): Promise<void> {
    const { point, first, next, clock } = this.#init
    const wasReachable = registration.health === 'reachable'
    const proof = await (registration.provedAt === 0 ? first : next).prove(registration)
    if (this.#stopped || proof === undefined) {
      return
    }
    if (!proof.ok && proof.fault === 'dial_busy') {
      // We lacked capacity; it does not count against the peer. An entry that stays unproved too long leaves the
      // answers by its age.
      this.#plan(registration, clock() + this.#init.interval * RETRIES[1]!)
      return
    }
    if (!point.recordProof(registration, proof)) {
      return
    }
    const { misses, provedAt } = registration
    if (proof.ok) {
      this.#plan(registration, clock() + this.#interval(registration))
      if (!wasReachable) {
        this.#doubtSiblings(registration)
      }
    } else if (misses >= (provedAt === 0 ? GIVE_UP_UNPROVEN_AFTER : GIVE_UP_AFTER) && !isStatic(registration)) {
      point.drop(registration)
    } else {
      this.#plan(registration, clock() + this.#jittered(RETRIES[misses - 1] ?? 1))
    }
  }

  /** The operator's list changes after a restart and after every edit. */
  #trackUnidentified(): void {
    const statics = this.#init.point.operatorList.statics()
    if (statics === this.#statics) {
      return
    }
    this.#statics = statics
    for (const { registration } of statics) {
      if (registration !== undefined && registration.peerId === undefined) {
        this.#plan(registration, this.#init.clock())
      }
    }
  }

  async #identify(entry: StaticRegistration): Promise<void> {
    const { point, next, clock } = this.#init
    const answer = await next.identify(entry.address)
    const stillThere = [...point.operatorList.statics()].some(({ registration }) => registration === entry)
    if (this.#stopped || !stillThere) {
      return
    }
    if ('peerId' in answer) {
      point.operatorList.identify({ network: entry.network, peerId: answer.peerId, address: entry.address })
    } else {
      this.#plan(entry, clock() + this.#jittered(1))
    }
  }

  /** A peer that appears at a new address has often left the old one. */
  #doubtSiblings({ peer, address }: Registration): void {
    const now = this.#init.clock()
    const family = address.slice(0, 4)
    for (const sibling of peer.registrations) {
      if (sibling.address !== address && sibling.address.startsWith(family) && sibling.health === 'reachable') {
        this.#plan(sibling, now)
      }
    }
  }

  #interval({ provedAt, provedSince }: Registration): number {
    const isNew = provedAt - provedSince < this.#init.interval
    return this.#jittered(isNew ? FIRST_INTERVAL : 1)
  }

  /** A part of the interval, ms. */
  #jittered(part: number): number {
    return jittered(this.#init.interval * part, JITTER, this.#init.random)
  }

  #plan(due: Due, at: number): void {
    const grain = Math.max(Math.ceil((at - this.#start) / this.#grain), this.#reached)
    if ('peer' in due) {
      due.dueAt = grain
    }
    const list = this.#calendar.get(grain)
    if (list === undefined) {
      this.#calendar.set(grain, [due])
    } else {
      list.push(due)
    }
  }
}

type Due = Registration | StaticRegistration
