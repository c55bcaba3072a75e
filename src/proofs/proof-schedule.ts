// When each address is dialed back again.

import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type RateLimit, RateLimiter } from '../base/rate-limit.ts'
import type { RendezvousPoint } from '../point/rendezvous-point.ts'
import { isStatic, type Registration, type StaticEntry, type StaticRegistration } from '../registry/registration.ts'
import { Calendar } from './calendar.ts'
import { Lanes } from './lanes.ts'
import { NEXT_PROOFS, type Prober } from './prober.ts'
import { type IntervalOf, nextPart, retryPart } from './proof-interval.ts'
import type { ProofPace } from './proof-pace.ts'

export interface ProofScheduleInit {
  readonly point: RendezvousPoint
  /** Proves addresses that have never answered, with the newcomers' budget. */
  readonly first: Prober
  /** Proves addresses that have answered before. */
  readonly next: Prober
  /** When proofs of what has answered before may begin. */
  readonly pace: ProofPace
  /** How long a proof counts before the next one is due, ms; {@link intervalOf} makes it shorter or longer. */
  readonly interval: number
  readonly intervalOf: IntervalOf
  readonly clock: Clock
  readonly random: Random
}

/** A proof may be this many times older than the interval before its address leaves the answers: 15 min → 20 min. */
export const MAX_AGE_FACTOR = 4 / 3
/** A registration is given up early after this many misses in a row: over an hour at the defaults. */
const GIVE_UP_AFTER = 8
/** One that never answered is given up sooner: only its owner misses it. */
const GIVE_UP_UNPROVEN_AFTER = 3
/**
 * Proofs that begin at once because another peer answered at the address: what a machine that answers under two
 * identities in turn can have the node dial. Beyond, such a proof is the second retry.
 */
const CONTESTS: RateLimit = { burst: 4, perSecond: 1 / 15 }
/** Proofs begun in one turn of the event loop: 0.2 ms each until they wait for the network. */
const MAX_AT_ONCE = 64
/** The resolution of the schedule, ms: the tick at the default interval, and the same fraction of a longer one. */
const UNIT_MS = 250
const MAX_UNITS = 3600

/**
 * Decides when each registration is proved again, and each of the operator's entries that names no peer, until one
 * answers there. What was moved or removed meanwhile is recognised when its time comes. What has answered before and is
 * due waits for its turn, first come, first served; what another peer's proof made doubtful does not.
 */
export class ProofSchedule {
  readonly #init: ProofScheduleInit
  readonly #calendar: Calendar<Due>
  readonly #contests = new RateLimiter(CONTESTS)
  /** The proofs that run: each runs once, however many callers wait for it. */
  readonly #underWay = new Map<Registration, Promise<void>>()
  /** What has answered before and is due. */
  readonly #waiting = new Lanes<Registration>()
  #statics: Iterable<StaticEntry> | undefined
  #stopped = false

  constructor(init: ProofScheduleInit) {
    this.#init = init
    this.#calendar = new Calendar(init.clock(), Math.max(UNIT_MS, init.interval / MAX_UNITS))
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
      this.#plan(registration, now + this.#retryAfter(2))
      return
    }
    this.#contests.take(registration.address, now)
    void this.proveNow(registration)
  }

  /** Proves a watched registration ahead of its time, and of those that wait. Never rejects. */
  async proveNow(registration: Registration): Promise<void> {
    let proving = this.#underWay.get(registration)
    if (proving === undefined) {
      if (registration.provedAt !== 0) {
        this.#init.pace.take()
      }
      proving = this.#proveRegistration(registration).finally(() => this.#underWay.delete(registration))
      this.#underWay.set(registration, proving)
    }
    await proving
  }

  /** Starts the proofs that are due, as far as the pace allows. */
  tick(): void {
    this.#trackUnidentified()
    for (const [due, unit] of this.#calendar.take(this.#init.clock())) {
      this.#takeUp(due, unit)
    }
    this.#beginWaiting()
    this.#init.first.tick()
    this.#init.next.tick()
  }

  stop(): void {
    this.#stopped = true
    this.#calendar.clear()
    this.#waiting.clear()
  }

  /** The time of an entry of the calendar has come. */
  #takeUp(due: Due, unit: number): void {
    if (!('peer' in due)) {
      this.#identify(due)
    } else if (due.dueAt === unit && isThere(due)) {
      if (due.provedAt === 0) {
        void this.proveNow(due)
      } else {
        due.dueAt = WAITING
        this.#waiting.add(due, due.misses > 0)
      }
    }
  }

  /** Begins what waits. The rest follows as these end, and at the next tick: a turn of the event loop is not to be long. */
  #beginWaiting(): void {
    const { pace, next } = this.#init
    for (let begun = 0; begun < MAX_AT_ONCE && next.size < NEXT_PROOFS.parallel && pace.isOpen; begun++) {
      const turn = this.#waiting.next((due) => due.dueAt === WAITING && isThere(due))
      if (turn === undefined) {
        return
      }
      void this.proveNow(turn.item).then(() => {
        this.#waiting.end(turn)
        this.#beginWaiting()
      })
    }
  }

  async #proveRegistration(registration: Registration): Promise<void> {
    const { point, first, next, clock } = this.#init
    const proof = await (registration.provedAt === 0 ? first : next).prove(registration)
    if (this.#stopped || proof === undefined) {
      return
    }
    if (!proof.ok && proof.fault === 'dial_busy') {
      // We lacked capacity; it does not count against the peer. An entry that stays unproved too long leaves the
      // answers by its age.
      this.#plan(registration, clock() + this.#retryAfter(2))
      return
    }
    if (!point.recordProof(registration, proof)) {
      return
    }
    const { misses, provedAt, provedSince } = registration
    if (proof.ok) {
      this.#plan(registration, clock() + this.#interval(registration))
      if (provedSince === provedAt) {
        this.#doubtSiblings(registration)
      }
    } else if (misses >= (provedAt === 0 ? GIVE_UP_UNPROVEN_AFTER : GIVE_UP_AFTER) && !isStatic(registration)) {
      point.drop(registration)
    } else {
      this.#plan(registration, clock() + this.#retryAfter(misses))
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
      this.#plan(entry, clock() + this.#retryAfter(GIVE_UP_AFTER))
    }
  }

  /** A peer that appears at a new address has often left the old one. */
  #doubtSiblings({ peer, address }: Registration): void {
    const now = this.#init.clock()
    const family = address.slice(0, 4)
    for (const sibling of peer.registrations) {
      if (
        sibling.address !== address &&
        sibling.address.startsWith(family) &&
        sibling.health === 'reachable' &&
        sibling.dueAt !== WAITING
      ) {
        this.#plan(sibling, now)
      }
    }
  }

  #interval({ provedAt, provedSince }: Registration): number {
    const { point, pace, interval, intervalOf, random } = this.#init
    const load = point.view.size / (pace.perSecond * (interval / 1000))
    return interval * nextPart(intervalOf(provedAt - provedSince), load, random)
  }

  /** After so many misses in a row, ms. */
  #retryAfter(misses: number): number {
    return this.#init.interval * retryPart(misses, this.#init.random)
  }

  #plan(due: Due, at: number): void {
    const unit = this.#calendar.add(due, at)
    if ('peer' in due) {
      due.dueAt = unit
    }
  }
}

type Due = Registration | StaticRegistration

/** Instead of a time when a proof is due: its time has come, and it waits for its turn. */
const WAITING = -1

/** Whether it has not been removed meanwhile. */
function isThere(registration: Registration): boolean {
  return registration.peer.registrations.includes(registration)
}
