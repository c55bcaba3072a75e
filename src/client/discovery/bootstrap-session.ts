import { type BackOff, backOff, jittered } from '../../base/back-off.ts'
import type { Random } from '../../base/random.ts'
import type { Verdict } from '../../wire/bootstrap-codec.ts'
import type { Family } from '../addresses-to-register.ts'
import type { BootstrapAnswer, BootstrapClient } from '../bootstrap-client.ts'
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

export interface SessionInit {
  readonly client: Pick<BootstrapClient, 'id' | 'register' | 'unregister' | 'discover'>
  /** What there is to register, now; over a connection of `family`, when it is known. */
  readonly addresses: (family?: Family) => readonly string[]
  /** How long a registration lasts, seconds. */
  readonly ttl: number
  /** How often to ask when the node has what it wants, ms, ± {@link JITTER}. */
  readonly refreshInterval: number
  /** Whether the node wants more peers than it is connected to. */
  readonly wantsMore: () => boolean
  readonly scheduler: Scheduler
  readonly random: Random
  readonly onAnswer: (answer: BootstrapAnswer) => void
  readonly onVerdicts: (verdicts: readonly Verdict[]) => void
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
  readonly #schedule: AskSchedule
  readonly #stopping = new AbortController()
  /** The addresses of the last registration that was answered. */
  #registered: string | undefined
  /** Whether the bootstrap may list this node: it took a registration, or did not answer one. */
  #mayBeListed = false
  #hasAnswered = false
  #listed = false
  /** Others that register now are named only to those who ask after it. */
  #justListed = false
  #renewAt = 0
  /** Registrations in a row that did not list this node, and when the next is due, ms. */
  #unlisted = 0
  #registerAgainAt = 0
  #pendingUntil = 0
  #inRound = false
  #cancelNext = () => {}

  constructor(init: SessionInit) {
    this.#init = init
    this.#schedule = new AskSchedule(init)
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#schedule.failures
  }

  start(): void {
    this.#round()
  }

  /** The node may have other addresses now. */
  addressesChanged(): void {
    if (!this.#inRound && this.failures === 0 && this.#registrationIsDue()) {
      this.#next(ADDRESSES_SETTLE_MS, () => this.#round())
    }
  }

  /** The node wants more peers after having had enough. */
  wantsMoreAgain(): void {
    this.#schedule.restart(this.#init.scheduler.now())
    if (!this.#inRound) {
      this.#plan()
    }
  }

  /**
   * Ends what is under way; with `unregister` also what was registered. Never rejects. Resolves with `undefined` when
   * there was nothing to unregister, else with whether the bootstrap has answered, or why not.
   */
  async stop({ unregister }: { readonly unregister: boolean }): Promise<true | BootstrapError | undefined> {
    this.#cancelNext()
    this.#stopping.abort()
    if (!unregister || !this.#mayBeListed) {
      return undefined
    }
    this.#mayBeListed = false
    const options = { limit: 0, explain: false, signal: AbortSignal.timeout(UNREGISTER_MS) }
    try {
      await this.#init.client.unregister([], options)
      return true
    } catch (err) {
      return asBootstrapError(err, this.#init)
    }
  }

  async #round(): Promise<void> {
    const { scheduler, onFailure } = this.#init
    this.#inRound = true
    this.#justListed = false
    const errors = await this.#exchange()
    this.#inRound = false
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
    const retryAfter = Math.max(...errors.map((each) => each.retryAfter ?? 0)) * 1000
    const pause = this.#schedule.failed(now, retryAfter)
    this.#plan()
    onFailure(error, pause)
  }

  /** Asks, and registers beside it when that is due, or after it when the bootstrap does not list this node. */
  async #exchange(): Promise<BootstrapError[]> {
    const errors: BootstrapError[] = []
    const guarded = (call: Promise<void>) => call.catch((err) => void errors.push(asBootstrapError(err, this.#init)))
    const due = this.#registrationIsDue()
    await Promise.all([guarded(this.#ask()), due ? guarded(this.#register()) : undefined])
    if (!due && errors.length === 0 && this.#registrationIsDue() && !this.#stopping.signal.aborted) {
      await guarded(this.#register())
    }
    return errors
  }

  async #ask(): Promise<void> {
    const { client, scheduler, onAnswer } = this.#init
    this.#schedule.exchanged(scheduler.now())
    const answer = await client.discover({ signal: this.#stopping.signal })
    this.#hasAnswered = true
    if (this.#stopping.signal.aborted) {
      return
    }
    if (answer.self !== undefined) {
      this.#becameListed()
    } else if (this.#listed) {
      // It has lost this node.
      this.#listed = false
      this.#registerAgainAt = 0
    }
    onAnswer(answer)
  }

  async #register(): Promise<void> {
    const { client, ttl, scheduler, random, refreshInterval, onVerdicts } = this.#init
    const key = this.#addressesKey()
    const { signal } = this.#stopping
    const mayBeListed = this.#mayBeListed
    this.#mayBeListed = true
    this.#schedule.exchanged(scheduler.now())
    const { registrations } = await client.register(this.#init.addresses, { ttl, limit: 0, signal }).catch((err) => {
      this.#mayBeListed = mayBeListed || (this.#hasAnswered && !NOT_TAKEN.has(asBootstrapError(err, this.#init).code))
      throw err
    })
    if (signal.aborted) {
      return
    }
    const now = scheduler.now()
    const left = registrations.flatMap(({ expiresIn }) => expiresIn ?? [])
    this.#registered = key
    this.#renewAt = now + jittered(Math.min(ttl, ...left) * 1000 * RENEW_AT, JITTER, random)
    if (registrations.some(({ status }) => status === 'listed')) {
      this.#becameListed()
    } else {
      this.#pendingUntil = registrations.some(({ status }) => status === 'pending') ? now + PENDING_MS : 0
      const again: BackOff = { first: Math.min(REGISTER_AGAIN_MS, refreshInterval), most: refreshInterval }
      this.#registerAgainAt = now + backOff(++this.#unlisted, again, random)
    }
    onVerdicts(registrations)
  }

  #becameListed(): void {
    this.#justListed ||= !this.#listed
    this.#listed = true
    this.#unlisted = 0
    this.#pendingUntil = 0
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
    const at = this.#schedule.nextAt({ early, exchanges: this.#registrationIsDue() ? 2 : 1 })
    const renews = this.#registered !== undefined && this.failures === 0 && this.#addressesKey() !== ''
    return renews ? Math.min(at, this.#renewAt) : at
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

function asBootstrapError(err: unknown, { client }: SessionInit): BootstrapError {
  return err instanceof BootstrapError
    ? err
    : new BootstrapError('unexpected', client.id, err instanceof Error ? err.message : String(err), { cause: err })
}
