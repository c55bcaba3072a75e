// All exchanges with one bootstrap while the node runs: asks, registers and retries.

import { beforeAbort } from '../../base/before-abort.ts'
import type { Random } from '../../base/random.ts'
import type { Family } from '../addresses-to-register.ts'
import type { BootstrapAnswer, RegistrationOutcome } from '../bootstrap-answer.ts'
import type { BootstrapClient } from '../bootstrap-client.ts'
import { asBootstrapError, type BootstrapError } from '../bootstrap-error.ts'
import { deadlineIn, type Scheduler } from '../scheduler.ts'
import { AskSchedule } from './ask-schedule.ts'
import { RegistrationSchedule } from './registration-schedule.ts'
import { Unregistering } from './unregistering.ts'

/** How long a stop may take, ms: a dial and an answer at 300 ms of round trip take 2.5 s. */
const STOP_MS = 5000
/** How long it waits for what is under way to end, ms, which is at once unless a call ignores its signal. */
const ABANDON_MS = 1000
export type SessionClient = Pick<BootstrapClient, 'id' | 'register' | 'unregister' | 'discover'>

export interface SessionInit {
  readonly client: SessionClient
  /** What there is to register, now; over a connection of `family`, when it is known. */
  readonly addresses: (family?: Family) => readonly string[]
  /** How long a registration lasts, ms. */
  readonly ttl: number
  /** How often to ask when the node has the peers that it wants, ms, ± 20 %. */
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
 * The exchanges with one bootstrap, for as long as the node runs: asks for peers, soon again while the node wants more; keeps
 * this node listed; and tries again later when the bootstrap does not answer. Asking and registering go side by side, so
 * that finding peers never waits for a dial-back. The callbacks may not throw.
 */
export class Session {
  readonly #init: SessionInit
  #client: SessionClient
  readonly #schedule: AskSchedule
  readonly #stopping = new AbortController()
  readonly #registration: RegistrationSchedule
  readonly #unregistering = new Unregistering()
  #hasAnswered = false
  /** The round under way. */
  #exchanging: Promise<unknown> | undefined
  /** Registers while the round under way asks. */
  #registerBeside = () => {}
  #cancelNext = () => {}

  constructor(init: SessionInit) {
    this.#init = init
    this.#client = init.client
    this.#schedule = new AskSchedule(init)
    this.#registration = new RegistrationSchedule(init)
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
      if (!this.#registration.isAnswered) {
        this.#registerBeside()
      }
    } else if (this.failures === 0 && this.#registration.addressesChanged(this.#init.scheduler.now())) {
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
   * Ends what is under way; with `unregister` also what was registered, by this call or a later one. Never rejects, and
   * takes {@link STOP_MS} at most, whatever a call does with its signal. Resolves with `undefined` when there was nothing to
   * unregister, else with whether the bootstrap has answered, or why not.
   */
  async stop({ unregister }: { readonly unregister: boolean }): Promise<true | BootstrapError | undefined> {
    this.#cancelNext()
    this.#stopping.abort()
    this.#unregistering.stopping()
    const { scheduler } = this.#init
    const abandoned = deadlineIn(scheduler, ABANDON_MS)
    const over = deadlineIn(scheduler, STOP_MS)
    try {
      // A dial that is being cancelled would end that of the call below, too.
      await beforeAbort(this.#exchanging ?? Promise.resolve(), abandoned.signal)
      return unregister ? await this.#unregistering.run(this.#client, over.signal) : undefined
    } finally {
      abandoned.cancel()
      over.cancel()
    }
  }

  async #round(): Promise<void> {
    const { scheduler, onFailure } = this.#init
    this.#registration.roundBegan()
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
      if (this.#registration.isJustListed) {
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
    const { scheduler } = this.#init
    const errors: BootstrapError[] = []
    const guarded = (call: Promise<void>) =>
      call.catch((err) => void errors.push(asBootstrapError(err, this.#client.id)))
    let registering: Promise<void> | undefined
    const registerIfDue = () => {
      if (registering === undefined && this.#registration.isDue(scheduler.now()) && !this.#stopping.signal.aborted) {
        registering = guarded(this.#register())
      }
    }
    const asking = guarded(this.#ask())
    registerIfDue()
    this.#registerBeside = registerIfDue
    await asking
    this.#registerBeside = () => {}
    const now = scheduler.now()
    if (registering === undefined && errors.length === 0 && this.#registration.isDue(now)) {
      if (this.#schedule.affordableAt(1) <= now) {
        registerIfDue()
      } else {
        this.#registration.want(now)
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
    this.#registration.seen(scheduler.now(), answer.self !== undefined)
    onAnswer(answer)
    if (answer.error !== undefined) {
      throw answer.error
    }
  }

  async #register(): Promise<void> {
    const { ttl, scheduler, addresses, onOutcomes } = this.#init
    const { signal } = this.#stopping
    let key = ''
    // Called once there is a connection: a node that starts has all of its addresses by then.
    const current = (family?: Family) => {
      key = this.#registration.key()
      return addresses(family)
    }
    this.#registration.began()
    this.#schedule.exchanged(scheduler.now())
    const client = this.#client
    const { registrations } = await this.#unregistering.follow(
      client.register(current, { ttl, limit: 0, signal }),
      client,
      () => this.#hasAnswered,
    )
    if (signal.aborted) {
      return
    }
    this.#registration.answered(scheduler.now(), key, registrations)
    onOutcomes(registrations)
  }

  /** When the next round is due, ms. */
  #nextAt(): number {
    const { scheduler, wantsMore } = this.#init
    const now = scheduler.now()
    const early = wantsMore() || this.#registration.isJustListed || this.#registration.isPending(now)
    const at = this.#schedule.nextAt({ early, exchanges: this.#registration.isDue(now) ? 2 : 1 })
    return this.failures > 0 ? at : Math.min(at, this.#registration.nextAt(now, this.#schedule.affordableAt(2)))
  }

  #plan(): void {
    this.#next(Math.max(0, this.#nextAt() - this.#init.scheduler.now()), () => this.#wake())
  }

  /** Waits for the refresh instead when the node has the peers that it wants by now. */
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
