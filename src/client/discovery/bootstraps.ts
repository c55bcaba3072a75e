// The bootstraps that a discovery asks side by side: the configured ones, and those learned from them.

import type { BootstrapAnswer } from '../bootstrap-answer.ts'
import type { BootstrapError } from '../bootstrap-error.ts'
import type { CachedBootstrap } from '../cache/cache-file.ts'
import { readDialable } from '../offered-peers.ts'
import type { KnownOfList } from './bootstrap-lookup.ts'
import { Session } from './bootstrap-session.ts'
import { type Bootstrap, type BootstrapsInit, isLearned, isSameSet, LONGEST_PAUSE } from './bootstraps-init.ts'

/** Bootstraps learned from one configured one: as many as an operator has. */
export const MAX_LEARNED = 4
/** A learned one ends when the one that named it has answered for this long without naming it, ms. */
export const UNNAMED_MS = 24 * 60 * 60_000
/** The voice of those whose namer is not known now, because its name in the DNS could not be looked up. */
const UNKNOWN_ORIGIN = 'unknown'
/** A learned one that was never met is given up after so many failures in a row: about a quarter of an hour. */
const GIVE_UP_AFTER = 10
/** Bootstraps that are no longer asked and are still unregistered with on stop: the last ones. */
const MAX_GONE = 64

/** The bootstraps that are asked side by side: those of the configuration, and those that they have led to. */
export class Bootstraps {
  readonly #init: BootstrapsInit
  readonly #byId = new Map<string, Bootstrap>()
  /** Those that are no longer asked, and may list this node. */
  readonly #gone = new Map<string, Bootstrap>()
  /** Those of an earlier run, until the configuration is known. */
  #remembered: readonly CachedBootstrap[] = []
  #known: KnownOfList = { origins: new Map(), state: 'looking-up' }

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

  /** Whether one of them speaks for an origin. */
  hasOrigin(origin: string): boolean {
    return this.#byId.values().some((each) => each.origin === origin)
  }

  /** Whether one of them is in a private range or on loopback, as those of a private network are. */
  get hasPrivate(): boolean {
    const isPrivate = (address: string) => (readDialable(address)?.scope ?? 'public') !== 'public'
    return this.#byId.values().some(({ addresses }) => addresses.some(isPrivate))
  }

  /** The configuration says these, and no others. One whose addresses changed keeps its schedule: it is the same one. */
  configure(found: ReadonlyMap<string, readonly string[]>, known: KnownOfList): void {
    this.#known = known
    for (const bootstrap of [...this.#byId.values()]) {
      const { id, namedBy } = bootstrap
      const now = found.get(id)
      if (namedBy === undefined && now !== undefined) {
        this.#move(bootstrap, now)
      } else if (namedBy === undefined || now !== undefined) {
        this.#remove(bootstrap)
      }
    }
    for (const [id, addresses] of found) {
      if (!this.#byId.has(id)) {
        this.#add(id, addresses)
      }
    }
    for (const bootstrap of [...this.#byId.values()]) {
      const { namedBy } = bootstrap
      if (namedBy !== undefined && known.state === 'complete' && !this.#isConfigured(namedBy)) {
        this.#remove(bootstrap)
      } else {
        bootstrap.origin = this.#originOf(bootstrap.id, namedBy)
      }
    }
    this.#takeRemembered()
  }

  /** Those of an earlier run. They are asked once it is known which bootstraps are configured. */
  restore(learned: readonly CachedBootstrap[]): void {
    this.#remembered = learned
    this.#takeRemembered()
  }

  #takeRemembered(): void {
    if (this.#known.state === 'looking-up') {
      return
    }
    for (const { id, addresses, origin: namedBy, unnamedMs } of this.#remembered) {
      if (this.#known.state === 'complete' && !this.#isConfigured(namedBy)) {
        this.#init.onGone(id)
      } else if (!this.#byId.has(id) && this.#learnedFrom(namedBy) < MAX_LEARNED) {
        this.#add(id, addresses, { namedBy, unnamedMs, met: true })
      }
    }
    this.#remembered = []
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

  #add(
    id: string,
    addresses: readonly string[],
    { namedBy, unnamedMs = 0, met = false }: { namedBy?: string; unnamedMs?: number; met?: boolean } = {},
  ): void {
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
    const origin = this.#originOf(id, namedBy)
    const bootstrap: Bootstrap = { id, addresses, origin, namedBy, unnamedMs, session, met, answeredAt: undefined }
    this.#byId.set(id, bootstrap)
    this.#gone.delete(id)
    session.start()
  }

  #answered(bootstrap: Bootstrap, answer: BootstrapAnswer): void {
    if (!bootstrap.met && isLearned(bootstrap)) {
      this.#init.onMet(bootstrap)
      this.#init.onChanged(bootstrap)
    }
    bootstrap.met = true
    this.#init.onAnswer(bootstrap, answer)
    if (bootstrap.namedBy === undefined && answer.error === undefined) {
      this.#takeSiblings(bootstrap, answer.bootstraps)
    }
  }

  /** Only of one that is configured: siblings of siblings are not taken, so that what was learned does not renew itself. */
  #takeSiblings(namer: Bootstrap, addresses: readonly string[]): void {
    const { scheduler, refreshInterval, onChanged } = this.#init
    const now = scheduler.now()
    const pause = Math.min(now - (namer.answeredAt ?? now), LONGEST_PAUSE * refreshInterval)
    namer.answeredAt = now
    const named = Map.groupBy(addresses, (each) => readDialable(each)?.id)
    for (const bootstrap of [...this.#byId.values()].filter(isLearned)) {
      if (bootstrap.namedBy !== namer.id) {
        continue
      }
      const before = bootstrap.unnamedMs
      const at = named.get(bootstrap.id)
      bootstrap.unnamedMs = at === undefined ? before + Math.round(pause) : 0
      if (at !== undefined) {
        this.#move(bootstrap, at)
      }
      if (bootstrap.unnamedMs >= UNNAMED_MS) {
        this.#remove(bootstrap)
      } else if (bootstrap.met && bootstrap.unnamedMs !== before) {
        onChanged(bootstrap)
      }
    }
    for (const [id, at] of named) {
      if (id !== undefined && !this.#byId.has(id) && this.#learnedFrom(namer.id) < MAX_LEARNED) {
        this.#add(id, at, { namedBy: namer.id })
      }
    }
  }

  #failed(bootstrap: Bootstrap, error: BootstrapError, retryIn: number): void {
    bootstrap.answeredAt = undefined
    this.#init.onFailure(bootstrap, error, retryIn)
    if (bootstrap.namedBy !== undefined && !bootstrap.met && bootstrap.session.failures >= GIVE_UP_AFTER) {
      this.#remove(bootstrap)
    }
  }

  #move(bootstrap: Bootstrap, addresses: readonly string[]): void {
    if (!isSameSet(addresses, bootstrap.addresses)) {
      bootstrap.addresses = addresses
      bootstrap.session.movedTo(this.#init.connect(addresses))
    }
  }

  #isConfigured(id: string): boolean {
    const known = this.#byId.get(id)
    return known !== undefined && known.namedBy === undefined
  }

  #originOf(id: string, namedBy: string | undefined): string {
    if (namedBy === undefined) {
      return this.#known.origins.get(id) ?? id
    }
    return this.#isConfigured(namedBy) ? this.#originOf(namedBy, undefined) : UNKNOWN_ORIGIN
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
    this.#init.onGone(bootstrap.id)
  }

  #learnedFrom(namer: string): number {
    return this.#byId.values().reduce((count, { namedBy }) => count + (namedBy === namer ? 1 : 0), 0)
  }
}
