import type { Random } from '../random.ts'
import type { Verdict } from '../wire/bootstrap-codec.ts'
import { type BackOff, backOff, jittered } from './back-off.ts'
import type { BootstrapAnswer, BootstrapClient } from './bootstrap-client.ts'
import { BootstrapError } from './bootstrap-error.ts'
import type { Family } from './own-addresses.ts'
import type { Scheduler } from './scheduler.ts'

/** Tries again after 1–3 s, then twice as late each time, up to 1–3 minutes: for ever. */
export const BACK_OFF: BackOff = { first: 2000, most: 120_000 }
/** Refreshes and renewals are spread out by this part of their interval, either way. */
export const JITTER = 0.2
/** When a registration is renewed, as a part of its time to live: two more attempts fit before it ends. */
const RENEW_AT = 0.5
/** The longest that a bootstrap may tell us to wait, ms. */
const MAX_RETRY_AFTER_MS = 15 * 60_000
/** Addresses often change several at a time, ms. */
const ADDRESSES_SETTLE_MS = 1000
/** How long taking back may hold up a node that stops, ms. */
const TAKE_BACK_MS = 2000

export interface SessionInit {
  readonly client: Pick<BootstrapClient, 'id' | 'register' | 'unregister' | 'discover'>
  /** What there is to register, now; over a connection of `family`, when it is known. */
  readonly addresses: (family?: Family) => readonly string[]
  /** How long a registration lasts, seconds. */
  readonly ttl: number
  /** How often to ask, ms, ± {@link JITTER}. */
  readonly refreshInterval: number
  readonly scheduler: Scheduler
  readonly random: Random
  readonly onAnswer: (answer: BootstrapAnswer) => void
  readonly onVerdicts: (verdicts: readonly Verdict[]) => void
  /** It will be tried again in so many ms. */
  readonly onFailure: (error: BootstrapError, retryIn: number) => void
}

/**
 * One bootstrap, for as long as the node runs: asks who is there, keeps this node listed, and when the bootstrap does
 * not answer comes back later. Asking and registering go side by side, so that finding peers never waits for a
 * dial-back. Nothing it calls may make it throw.
 */
export class Session {
  readonly #init: SessionInit
  readonly #stopping = new AbortController()
  #failures = 0
  #registered: string | undefined
  #renewAt = 0
  #inRound = false
  #cancelNext = () => {}

  constructor(init: SessionInit) {
    this.#init = init
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures
  }

  start(): void {
    this.#round()
  }

  /** The node may have other addresses now. */
  addressesChanged(): void {
    if (!this.#inRound && this.#failures === 0 && this.#registrationIsDue()) {
      this.#next(ADDRESSES_SETTLE_MS)
    }
  }

  /** Ends what is under way; with `takeBack` also what was registered. Never rejects. */
  async stop({ takeBack }: { readonly takeBack: boolean }): Promise<void> {
    this.#cancelNext()
    this.#stopping.abort()
    if (takeBack && this.#registered !== undefined) {
      this.#registered = undefined
      const options = { limit: 0, explain: false, signal: AbortSignal.timeout(TAKE_BACK_MS) }
      await this.#init.client.unregister([], options).catch(() => {})
    }
  }

  async #round(): Promise<void> {
    const { scheduler, random, refreshInterval } = this.#init
    this.#inRound = true
    const errors = await this.#exchange()
    this.#inRound = false
    if (this.#stopping.signal.aborted) {
      return
    }
    if (errors.length === 0) {
      this.#failures = 0
      const refresh = jittered(refreshInterval, JITTER, random)
      const renewal = this.#registered === undefined ? refresh : Math.max(0, this.#renewAt - scheduler.now())
      this.#next(Math.min(refresh, renewal))
      this.addressesChanged()
      return
    }
    this.#failures++
    const asked = Math.max(...errors.map(({ retryAfter = 0 }) => retryAfter)) * 1000
    const pause = Math.max(backOff(this.#failures, BACK_OFF, random), Math.min(asked, MAX_RETRY_AFTER_MS))
    this.#next(pause)
    for (const error of errors) {
      this.#init.onFailure(error, pause)
    }
  }

  /** Asks, and registers beside it when that is due, or after it when the bootstrap has forgotten us. */
  async #exchange(): Promise<BootstrapError[]> {
    const errors: BootstrapError[] = []
    const guarded = (call: Promise<void>) => call.catch((err) => void errors.push(asBootstrapError(err, this.#init)))
    const due = this.#registrationIsDue()
    let forgotten = false
    const asking = this.#ask().then((answer) => {
      forgotten = answer.self === undefined
    })
    await Promise.all([guarded(asking), due ? guarded(this.#register()) : undefined])
    if (forgotten && !due && !this.#stopping.signal.aborted && this.#init.addresses().length > 0) {
      await guarded(this.#register())
    }
    return errors
  }

  async #ask(): Promise<BootstrapAnswer> {
    const answer = await this.#init.client.discover({ signal: this.#stopping.signal })
    if (!this.#stopping.signal.aborted) {
      this.#init.onAnswer(answer)
    }
    return answer
  }

  async #register(): Promise<void> {
    const { client, ttl, scheduler, random, onVerdicts } = this.#init
    const key = this.#addressesKey()
    const { signal } = this.#stopping
    const { registrations } = await client.register(this.#init.addresses, { ttl, limit: 0, signal })
    if (signal.aborted) {
      return
    }
    const left = registrations.flatMap(({ expiresIn }) => expiresIn ?? [])
    this.#registered = key
    this.#renewAt = scheduler.now() + jittered(Math.min(ttl, ...left) * 1000 * RENEW_AT, JITTER, random)
    onVerdicts(registrations)
  }

  #registrationIsDue(): boolean {
    const key = this.#addressesKey()
    return key !== '' && (key !== this.#registered || this.#init.scheduler.now() >= this.#renewAt)
  }

  #addressesKey(): string {
    return this.#init.addresses().toSorted().join(' ')
  }

  #next(ms: number): void {
    this.#cancelNext()
    if (!this.#stopping.signal.aborted) {
      this.#cancelNext = this.#init.scheduler.after(ms, () => this.#round())
    }
  }
}

function asBootstrapError(err: unknown, { client }: SessionInit): BootstrapError {
  return err instanceof BootstrapError
    ? err
    : new BootstrapError('unexpected', client.id, err instanceof Error ? err.message : String(err), { cause: err })
}
