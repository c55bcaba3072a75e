// When to register with one bootstrap, and when to renew. Holds no timer.

import { type BackOff, backOff, jittered } from '../../base/back-off.ts'
import type { Random } from '../../base/random.ts'
import { MIN_TTL_MS } from '../../peer/limits.ts'
import type { RegistrationOutcome } from '../bootstrap-answer.ts'
import { JITTER } from './ask-schedule.ts'

/** When a registration is renewed, as a part of its time to live: two more attempts fit before it ends. */
const RENEW_AT = 0.5
/** A registration that was refused is tried again after 5–15 s, then twice as late each time, up to the refresh. */
const REGISTER_AGAIN_MS = 10_000
/** A pending dial-back has succeeded or failed after this time, ms: a dial takes 5 s at most, and waits for its turn. */
const PENDING_MS = 30_000
/** Addresses often change several at a time, ms. */
const ADDRESSES_SETTLE_MS = 1000

export interface RegistrationScheduleInit {
  /** What there is to register, now. */
  readonly addresses: () => readonly string[]
  /** How long a registration lasts, ms. */
  readonly ttl: number
  /** How often a node that has its peers asks, ms: the longest wait after a refusal, ± 50 %. */
  readonly refreshInterval: number
  readonly random: Random
}

/**
 * When to register with one bootstrap: at once, again after a refusal, at half of the time to live, and when the
 * addresses are new or the bootstrap has lost this node. Times are ms of the caller's clock. Synchronous; holds no timer.
 */
export class RegistrationSchedule {
  readonly #init: RegistrationScheduleInit
  /** The addresses of the last registration that was answered. */
  #registered: string | undefined
  #listed = false
  /** Whether the node was listed since the round began: others that register now are named only to a node that asks later. */
  #justListed = false
  /** Times in a row that the bootstrap had lost this node, though it took the registration. */
  #losses = 0
  #renewAt = 0
  /** Registrations in a row that did not list this node, and when the next is due, ms. */
  #unlisted = 0
  #againAt = 0
  #pendingUntil = 0
  /** When a registration out of turn is wanted, ms: the addresses are new, or the bootstrap lost this node. */
  #wantedAt = Number.POSITIVE_INFINITY

  constructor(init: RegistrationScheduleInit) {
    this.#init = init
  }

  /** Whether a registration was answered. */
  get isAnswered(): boolean {
    return this.#registered !== undefined
  }

  get isJustListed(): boolean {
    return this.#justListed
  }

  /** Whether a dial-back may still be under way, so that asking shows its end. */
  isPending(now: number): boolean {
    return now < this.#pendingUntil
  }

  isDue(now: number): boolean {
    const key = this.key()
    return key !== '' && (key !== this.#registered || now >= this.#renewAt || (!this.#listed && now >= this.#againAt))
  }

  /** When to register next, ms; `affordableAt` is when the budget has room for it, which a renewal need not wait for. */
  nextAt(now: number, affordableAt: number): number {
    if (this.key() === '') {
      return Number.POSITIVE_INFINITY
    }
    const wanted = this.isDue(now) ? Math.max(this.#wantedAt, affordableAt) : Number.POSITIVE_INFINITY
    if (this.#registered === undefined) {
      return wanted
    }
    const again = this.#listed ? Number.POSITIVE_INFINITY : Math.max(this.#againAt, affordableAt)
    return Math.min(wanted, again, this.#renewAt)
  }

  /** What is to be registered, as one text; empty when there is nothing. */
  key(): string {
    return this.#init.addresses().toSorted().join(' ')
  }

  /** One that is due is wanted from `at` on, ms. */
  want(at: number): void {
    this.#wantedAt = Math.min(this.#wantedAt, at)
  }

  /** The addresses may be new. Returns whether a registration is wanted now that they have settled. */
  addressesChanged(now: number): boolean {
    const due = this.isDue(now)
    if (due) {
      this.want(now + ADDRESSES_SETTLE_MS)
    }
    return due
  }

  roundBegan(): void {
    this.#justListed = false
  }

  began(): void {
    this.#wantedAt = Number.POSITIVE_INFINITY
  }

  /** A registration of the addresses of this `key` was answered. */
  answered(now: number, key: string, outcomes: readonly RegistrationOutcome[]): void {
    const { ttl, random } = this.#init
    this.#registered = key
    // A bootstrap that grants less than the shortest ttl of the protocol causes no earlier renewal.
    const lasts = Math.max(MIN_TTL_MS, Math.min(ttl, ...outcomes.flatMap(({ expiresIn }) => expiresIn ?? [])))
    this.#renewAt = now + jittered(lasts * RENEW_AT, JITTER, random)
    if (outcomes.some(({ status }) => status === 'listed')) {
      this.#becameListed()
    } else {
      this.#pendingUntil = outcomes.some(({ status }) => status === 'pending') ? now + PENDING_MS : 0
      this.#againAt = now + this.#again(++this.#unlisted)
    }
  }

  /** The bootstrap has answered a question, and lists this node, or does not. */
  seen(now: number, listed: boolean): void {
    if (listed) {
      this.#losses = 0
      this.#becameListed()
    } else if (this.#listed) {
      // It has lost this node. The first time that is registered at once; after that it may be a bootstrap that never shows it.
      this.#listed = false
      this.#againAt = ++this.#losses === 1 ? 0 : now + this.#again(this.#losses - 1)
    }
  }

  #again(failures: number): number {
    const { refreshInterval, random } = this.#init
    const again: BackOff = { first: Math.min(REGISTER_AGAIN_MS, refreshInterval), most: refreshInterval }
    return backOff(failures, again, random)
  }

  #becameListed(): void {
    this.#justListed ||= !this.#listed && this.#losses <= 1
    this.#listed = true
    this.#unlisted = 0
    this.#pendingUntil = 0
  }
}
