import { type BackOff, backOff, jittered } from '../../base/back-off.ts'
import type { Random } from '../../base/random.ts'
import { MIN_TTL_MS } from '../../peer/limits.ts'
import type { Family } from '../addresses-to-register.ts'
import type { BootstrapAnswer, RegistrationOutcome } from '../bootstrap-answer.ts'
import type { BootstrapClient } from '../bootstrap-client.ts'
import { BootstrapError } from '../bootstrap-error.ts'
import type { Scheduler } from '../scheduler.ts'
import { AskSchedule, JITTER } from './ask-schedule.ts'

/** When a registration is renewed, as a part of its time to live: two more attempts fit before it ends. */
const RENEW_AT = 0.5
/** A registration that was refused is tried again after 5–15 s, then twice as late each time, up to the refresh. */
const REGISTER_AGAIN_MS = 10_000
/** A pending dial-back has succeeded or failed after this time, ms: a dial takes 5 s at most, and waits for its turn. */
const PENDING_MS = 30_000
/** Addresses often change several at a time, ms. */
const ADDRESSES_SETTLE_MS = 1000
/** How long unregistering may hold up a node that stops, ms: a dial and an answer at 300 ms of round trip take 2.5 s. */
const UNREGISTER_MS = 5000
/** Errors after which a bootstrap certainly has not taken the registration. */
const NOT_TAKEN: ReadonlySet<string> = new Set(['unreachable', 'wrong_peer', 'unsupported', 'name_not_resolved'])

export type SessionClient = Pick<BootstrapClient, 'id' | 'register' | 'unregister' | 'discover'>

export interface SessionInit {
  readonly client: SessionClient
  /** What there is to register, now; over a connection of `family`, when it is known. */
  readonly addresses: (family?: Family) => readonly string[]
  /** How long a registration lasts, ms. */
  readonly ttl: number
  /** How often to ask when the node has what it wants, ms, ± {@link JITTER}. */
  readonly refreshInterval: number
  /** Whether the node wants more peers than it is connected to. */
  readonly wantsMore: () => boolean
  readonly scheduler: Scheduler
  readonly random: Random
  readonly onAnswer: (answer: BootstrapAnswer) => void
  readonly onOutcomes: (outcomes: readonly RegistrationOutcome[]) => void
  /** A round failed; the next is in `retryIn` ms. Called once a round. */
  readonly onFailure: (error: BootstrapError, retryIn: number) => void
}

/**
 * One bootstrap, for as long as the node runs: asks for peers, soon again while the node wants more; keeps this node
 * listed; and when the bootstrap does not answer comes back later. Asking and registering go side by side, so that
 * finding peers never waits for a dial-back. Nothing it calls may throw.
 */
export class Session {
  readonly #init: SessionInit
  #client: SessionClient
  readonly #schedule: AskSchedule
  readonly #stopping = new AbortController()
  /** The addresses of the last registration that was answered. */
  #registered: string | undefined
  /** Whether the bootstrap may list this node: it took a registration, or did not answer one. */
  #mayBeListed = false
  /** Whether a registration is under way, and whether one was when this was stopped: nothing is known of that. */
  #registering = false
  #mayHaveTaken = false
  #hasAnswered = false
  #listed = false
  /** Others that register now are named only to those who ask after it. */
  #justListed = false
  /** Times in a row that the bootstrap had lost this node, though it took the registration. */
  #losses = 0
  #renewAt = 0
  /** Registrations in a row that did not list this node, and when the next is due, ms. */
  #unlisted = 0
  #registerAgainAt = 0
  #pendingUntil = 0
  /** When a registration out of turn is wanted, ms: the addresses are new, or the bootstrap lost this node. */
  #registrationWantedAt = Number.POSITIVE_INFINITY
  /** The round under way. */
  #exchanging: Promise<unknown> | undefined
  /** Registers while the round under way asks. */
  #registerBeside = () => {}
  #cancelNext = () => {}

  constructor(init: SessionInit) {
    this.#init = init
    this.#client = init.client
    this.#schedule = new AskSchedule(init)
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#schedule.failures
  }

  start(): void {
    this.#round()
  }

  /** The node may have other addresses now. The first are registered at once: a node that starts has none for a moment. */
  addressesChanged(): void {
    if (this.#exchanging !== undefined) {
      if (this.#registered === undefined) {
        this.#registerBeside()
      }
    } else if (this.failures === 0 && this.#registrationIsDue()) {
      this.#wantRegistration(ADDRESSES_SETTLE_MS)
      this.#plan()
    }
  }

  /** The bootstrap is found at other addresses now, by this client. */
  movedTo(client: SessionClient): void {
    this.#client = client
    this.addressesChanged()
  }

  /** The node wants more peers after having had enough. */
  wantsMoreAgain(): void {
    this.#schedule.restart(this.#init.scheduler.now())
    if (this.#exchanging === undefined) {
      this.#plan()
    }
  }

  /**
   * Ends what is under way; with `unregister` also what was registered, by this call or a later one. Never rejects.
   * Resolves with `undefined` when there was nothing to unregister, else with whether the bootstrap has answered, or why
   * not.
   */
  async stop({ unregister }: { readonly unregister: boolean }): Promise<true | BootstrapError | undefined> {
    this.#cancelNext()
    this.#stopping.abort()
    this.#mayHaveTaken ||= this.#registering
    // A dial that is being called off would end that of the call below, too.
    await this.#exchanging
    if (!unregister || !(this.#mayBeListed || this.#mayHaveTaken)) {
      return undefined
    }
    const certain = this.#mayBeListed
    this.#mayBeListed = this.#mayHaveTaken = false
    const signal = AbortSignal.timeout(UNREGISTER_MS)
    try {
      await this.#client.unregister([], { limit: 0, explain: false, signal })
      return true
    } catch (err) {
      const error = asBootstrapError(err, this.#client)
      return !certain && NOT_TAKEN.has(error.code) ? undefined : signal.aborted ? this.#silent(error) : error
    }
  }

  #silent(cause: BootstrapError): BootstrapError {
    return new BootstrapError('timeout', cause.bootstrap, `it did not answer in ${UNREGISTER_MS / 1000} s`, { cause })
  }

  async #round(): Promise<void> {
    const { scheduler, onFailure } = this.#init
    this.#justListed = false
    const exchanging = this.#exchange()
    this.#exchanging = exchanging
    const errors = await exchanging
    this.#exchanging = undefined
    if (this.#stopping.signal.aborted) {
      return
    }
    const now = scheduler.now()
    const [error] = errors
    if (error === undefined) {
      this.#schedule.answered(now)
      if (this.#justListed) {
        this.#schedule.soon(now)
      }
      this.#plan()
      this.addressesChanged()
      return
    }
    const retryAfter = Math.max(...errors.map((each) => each.retryAfter ?? 0))
    const pause = this.#schedule.failed(now, retryAfter)
    this.#plan()
    onFailure(error, pause)
  }

  /** Asks, and registers beside it when that is due, or after it when the bootstrap does not list this node. */
  async #exchange(): Promise<BootstrapError[]> {
    const errors: BootstrapError[] = []
    const guarded = (call: Promise<void>) => call.catch((err) => void errors.push(asBootstrapError(err, this.#client)))
    let registering: Promise<void> | undefined
    const registerIfDue = () => {
      if (registering === undefined && this.#registrationIsDue() && !this.#stopping.signal.aborted) {
        registering = guarded(this.#register())
      }
    }
    const asking = guarded(this.#ask())
    registerIfDue()
    this.#registerBeside = registerIfDue
    await asking
    this.#registerBeside = () => {}
    if (registering === undefined && errors.length === 0 && this.#registrationIsDue()) {
      if (this.#schedule.affordableAt(1) <= this.#init.scheduler.now()) {
        registerIfDue()
      } else {
        this.#wantRegistration(0)
      }
    }
    await registering
    return errors
  }

  async #ask(): Promise<void> {
    const { scheduler, onAnswer } = this.#init
    this.#schedule.exchanged(scheduler.now())
    const answer = await this.#client.discover({ signal: this.#stopping.signal })
    this.#hasAnswered = true
    if (this.#stopping.signal.aborted) {
      return
    }
    if (answer.self !== undefined) {
      this.#losses = 0
      this.#becameListed()
    } else if (this.#listed) {
      // It has lost this node: the first time a matter of at once, then it may be one that never shows it.
      this.#listed = false
      this.#registerAgainAt = ++this.#losses === 1 ? 0 : scheduler.now() + this.#registerAgainIn(this.#losses - 1)
    }
    onAnswer(answer)
    if (answer.error !== undefined) {
      throw answer.error
    }
  }

  async #register(): Promise<void> {
    const { ttl, scheduler, random, addresses, onOutcomes } = this.#init
    const { signal } = this.#stopping
    let key = ''
    // Called once there is a connection: a node that starts has all of its addresses by then.
    const current = (family?: Family) => {
      key = this.#addressesKey()
      return addresses(family)
    }
    this.#registrationWantedAt = Number.POSITIVE_INFINITY
    this.#schedule.exchanged(scheduler.now())
    this.#registering = true
    const answer = this.#client.register(current, { ttl, limit: 0, signal })
    const { registrations } = await answer
      .catch((err) => {
        this.#mayBeListed ||= this.#hasAnswered && !NOT_TAKEN.has(asBootstrapError(err, this.#client).code)
        throw err
      })
      .finally(() => {
        this.#registering = false
      })
    this.#mayBeListed = true
    if (signal.aborted) {
      return
    }
    const now = scheduler.now()
    const left = registrations.flatMap(({ expiresIn }) => expiresIn ?? [])
    this.#registered = key
    // The shortest that a client asks for: a bootstrap that grants less is not renewed with sooner.
    const lasts = Math.max(MIN_TTL_MS, Math.min(ttl, ...left))
    this.#renewAt = now + jittered(lasts * RENEW_AT, JITTER, random)
    if (registrations.some(({ status }) => status === 'listed')) {
      this.#becameListed()
    } else {
      this.#pendingUntil = registrations.some(({ status }) => status === 'pending') ? now + PENDING_MS : 0
      this.#registerAgainAt = now + this.#registerAgainIn(++this.#unlisted)
    }
    onOutcomes(registrations)
  }

  #registerAgainIn(failures: number): number {
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

  #wantRegistration(inMs: number): void {
    this.#registrationWantedAt = Math.min(this.#registrationWantedAt, this.#init.scheduler.now() + inMs)
  }

  #registrationIsDue(): boolean {
    const now = this.#init.scheduler.now()
    const key = this.#addressesKey()
    return (
      key !== '' &&
      (key !== this.#registered || now >= this.#renewAt || (!this.#listed && now >= this.#registerAgainAt))
    )
  }

  #addressesKey(): string {
    return this.#init.addresses().toSorted().join(' ')
  }

  /** When the next round is due, ms. */
  #nextAt(): number {
    const { scheduler, wantsMore } = this.#init
    const early = wantsMore() || this.#justListed || scheduler.now() < this.#pendingUntil
    const due = this.#registrationIsDue()
    const at = this.#schedule.nextAt({ early, exchanges: due ? 2 : 1 })
    if (this.failures > 0 || this.#addressesKey() === '') {
      return at
    }
    const wanted = due ? Math.max(this.#registrationWantedAt, this.#schedule.affordableAt(2)) : Number.POSITIVE_INFINITY
    if (this.#registered === undefined) {
      return Math.min(at, wanted)
    }
    const again = this.#listed
      ? Number.POSITIVE_INFINITY
      : Math.max(this.#registerAgainAt, this.#schedule.affordableAt(2))
    return Math.min(at, wanted, again, this.#renewAt)
  }

  #plan(): void {
    this.#next(Math.max(0, this.#nextAt() - this.#init.scheduler.now()), () => this.#wake())
  }

  /** A node that has what it wants by now waits for the refresh instead. */
  #wake(): void {
    if (this.#nextAt() <= this.#init.scheduler.now()) {
      this.#round()
    } else {
      this.#plan()
    }
  }

  #next(ms: number, task: () => void): void {
    this.#cancelNext()
    if (!this.#stopping.signal.aborted) {
      this.#cancelNext = this.#init.scheduler.after(ms, task)
    }
  }
}

function asBootstrapError(err: unknown, client: SessionClient): BootstrapError {
  return err instanceof BootstrapError
    ? err
    : new BootstrapError('unexpected', client.id, err instanceof Error ? err.message : String(err), { cause: err })
}
