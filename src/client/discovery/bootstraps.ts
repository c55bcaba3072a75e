// The bootstraps that a discovery asks side by side: the configured ones, and those learned from them.

import type { Random } from '../../base/random.ts'
import type { Family } from '../addresses-to-register.ts'
import type { BootstrapAnswer, RegistrationOutcome } from '../bootstrap-answer.ts'
import type { BootstrapError } from '../bootstrap-error.ts'
import type { CachedBootstrap } from '../cache/cache-file.ts'
import { readDialable } from '../offered-peers.ts'
import type { Scheduler } from '../scheduler.ts'
import { Session, type SessionClient } from './bootstrap-session.ts'

/** Bootstraps learned from one configured one: as many as an operator has; a liar does not become a majority. */
export const MAX_LEARNED_PER_ORIGIN = 4
/** A learned one that was never met is given up after so many failures in a row: about a quarter of an hour. */
const GIVE_UP_AFTER = 10
/** Bootstraps that are no longer asked and are still unregistered with on stop: the last ones. */
const MAX_GONE = 64

/** Makes the client of the bootstrap at these addresses. */
export type Connect = (addresses: readonly string[]) => SessionClient

export interface BootstrapsInit {
  readonly connect: Connect
  /** What to register with a bootstrap at these addresses; over a connection of `family`, when it is known. */
  readonly addresses: (bootstrap: readonly string[], family?: Family) => readonly string[]
  readonly ownId: string
  readonly ttl: number
  readonly refreshInterval: number
  readonly wantsMore: () => boolean
  readonly scheduler: Scheduler
  readonly random: Random
  readonly onAnswer: (bootstrap: Bootstrap, answer: BootstrapAnswer) => void
  readonly onOutcomes: (bootstrap: Bootstrap, outcomes: readonly RegistrationOutcome[]) => void
  readonly onFailure: (bootstrap: Bootstrap, error: BootstrapError, retryIn: number) => void
  /** One that was learned has answered for the first time. */
  readonly onMet: (bootstrap: Bootstrap) => void
  /** One is no longer asked. */
  readonly onGone: (bootstrap: Bootstrap) => void
  /** On stop this node was taken off its list, or the bootstrap gave no answer. */
  readonly onUnregistered: (bootstrap: Bootstrap, error: BootstrapError | undefined) => void
}

export interface Bootstrap {
  readonly id: string
  addresses: readonly string[]
  /** PeerId of the configured bootstrap that led to it; its own, when it is configured. They have one voice. */
  readonly origin: string
  readonly session: Session
  /** Whether it has answered in this run or an earlier one. */
  met: boolean
}

/** The bootstraps that are asked side by side: those of the configuration, and those that they have led to. */
export class Bootstraps {
  readonly #init: BootstrapsInit
  readonly #byId = new Map<string, Bootstrap>()
  /** Those that are no longer asked, and may list this node. */
  readonly #gone = new Map<string, Bootstrap>()

  constructor(init: BootstrapsInit) {
    this.#init = init
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  get size(): number {
    return this.#byId.size
  }

  /** Whether none of them answers now. */
  get allFail(): boolean {
    return this.#byId.values().every(({ session }) => session.failures > 0)
  }

  /** The configuration says these, and no others. One whose addresses changed keeps its schedule: it is the same one. */
  configure(found: ReadonlyMap<string, readonly string[]>): void {
    for (const bootstrap of [...this.#byId.values()]) {
      const { id, origin, addresses } = bootstrap
      const now = found.get(id)
      if (origin === id && now === undefined) {
        this.#remove(bootstrap)
      } else if (origin === id && now !== undefined && !isSameSet(now, addresses)) {
        bootstrap.addresses = now
        bootstrap.session.movedTo(this.#init.connect(now))
      } else if (origin !== id && now !== undefined) {
        this.#remove(bootstrap)
      }
    }
    for (const [id, addresses] of found) {
      if (!this.#byId.has(id)) {
        this.#add(id, addresses, id, false)
      }
    }
  }

  /** Those of an earlier run. */
  restore(learned: readonly CachedBootstrap[]): void {
    for (const { id, addresses, origin } of learned) {
      if (!this.#byId.has(id) && this.#learnedFrom(origin) < MAX_LEARNED_PER_ORIGIN) {
        this.#add(id, addresses, origin, true)
      }
    }
  }

  addressesChanged(): void {
    for (const { session } of this.#byId.values()) {
      session.addressesChanged()
    }
  }

  /** The node wants more peers after having had enough. */
  wantsMoreAgain(): void {
    for (const { session } of this.#byId.values()) {
      session.wantsMoreAgain()
    }
  }

  /** Unregisters this node everywhere, with those no longer asked too, side by side. Never rejects. */
  async stop(): Promise<void> {
    const all = [...this.#byId.values(), ...this.#gone.values()]
    this.#byId.clear()
    this.#gone.clear()
    await Promise.all(
      all.map(async (bootstrap) => {
        const outcome = await bootstrap.session.stop({ unregister: true })
        if (outcome !== undefined) {
          this.#init.onUnregistered(bootstrap, outcome === true ? undefined : outcome)
        }
      }),
    )
  }

  #add(id: string, addresses: readonly string[], origin: string, met: boolean): void {
    const { connect, scheduler, random, ttl, refreshInterval, wantsMore, ownId } = this.#init
    if (id === ownId) {
      return
    }
    const session = new Session({
      client: connect(addresses),
      addresses: (family) => this.#init.addresses(bootstrap.addresses, family),
      ttl,
      refreshInterval,
      wantsMore,
      scheduler,
      random,
      onAnswer: (answer) => this.#answered(bootstrap, answer),
      onOutcomes: (outcomes) => this.#init.onOutcomes(bootstrap, outcomes),
      onFailure: (error, retryIn) => this.#failed(bootstrap, error, retryIn),
    })
    const bootstrap: Bootstrap = { id, addresses, origin, session, met }
    this.#byId.set(id, bootstrap)
    this.#gone.delete(id)
    session.start()
  }

  #answered(bootstrap: Bootstrap, answer: BootstrapAnswer): void {
    if (!bootstrap.met && bootstrap.origin !== bootstrap.id) {
      this.#init.onMet(bootstrap)
    }
    bootstrap.met = true
    this.#init.onAnswer(bootstrap, answer)
    for (const address of answer.bootstraps) {
      const id = readDialable(address)?.id
      if (id !== undefined && !this.#byId.has(id) && this.#learnedFrom(bootstrap.origin) < MAX_LEARNED_PER_ORIGIN) {
        this.#add(id, [address], bootstrap.origin, false)
      }
    }
  }

  #failed(bootstrap: Bootstrap, error: BootstrapError, retryIn: number): void {
    this.#init.onFailure(bootstrap, error, retryIn)
    if (bootstrap.origin !== bootstrap.id && !bootstrap.met && bootstrap.session.failures >= GIVE_UP_AFTER) {
      this.#remove(bootstrap)
    }
  }

  #remove(bootstrap: Bootstrap): void {
    this.#byId.delete(bootstrap.id)
    // Stays registered: the same bootstrap may be on its way in again.
    bootstrap.session.stop({ unregister: false })
    this.#gone.set(bootstrap.id, bootstrap)
    for (const oldest of this.#gone.keys()) {
      if (this.#gone.size <= MAX_GONE) {
        break
      }
      this.#gone.delete(oldest)
    }
    this.#init.onGone(bootstrap)
  }

  #learnedFrom(origin: string): number {
    return this.#byId
      .values()
      .reduce((count, each) => count + (each.origin === origin && each.id !== origin ? 1 : 0), 0)
  }
}

function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && new Set([...some, ...others]).size === new Set(some).size
}
