// Which peers are listed now, and which of them a caller gets to see.

import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Caller } from '../peer/caller.ts'
import { selectRegistrations } from '../policy/selection.ts'
import type { RegisteredPeer, Registration } from '../registry/registration.ts'
import type { RegistryView } from '../registry/registry-view.ts'

export interface ListingInit {
  readonly view: RegistryView
  /** Whether only what was proved is handed out. */
  readonly verified: boolean
  /** How old a proof may be for its address to be handed out, ms. */
  readonly maxProofAge: number
  readonly clock: Clock
  readonly random: Random
}

/** Which peers of the table are handed out at this moment, and to which callers. Changes nothing. */
export class Listing {
  readonly #init: ListingInit

  constructor(init: ListingInit) {
    this.#init = init
  }

  /** What a caller is handed now. */
  for(caller: Caller): AnswerView {
    return new AnswerView(this.#init, caller)
  }

  /** Whether a registration is handed out now. */
  holds(registration: Registration): boolean {
    return new Freshness(this.#init).holds(registration)
  }

  /** Whether all that keeps it from being handed out is that the node is late to dial it again. */
  isOverdue(registration: Registration): boolean {
    return new Freshness(this.#init).isOverdue(registration)
  }

  /** Those of a peer's registrations that are handed out now. */
  heldOf({ registrations }: RegisteredPeer): readonly Registration[] {
    const freshness = new Freshness(this.#init)
    return registrations.filter((each) => freshness.holds(each))
  }
}

/** Which peers a caller is handed at one moment, and by which addresses: one for each answer. It reads the clock once. */
export class AnswerView {
  readonly #init: ListingInit
  readonly #caller: Caller
  readonly #freshness: Freshness

  constructor(init: ListingInit, caller: Caller) {
    this.#init = init
    this.#caller = caller
    this.#freshness = new Freshness(init)
  }

  /** The moment, ms since the epoch. */
  get now(): number {
    return this.#freshness.now
  }

  /** The caller first, when it is listed, then `limit` others at most. */
  peers(query: { readonly network: string; readonly limit: number }): RegisteredPeer[] {
    return this.#select(query).map(({ peer }) => peer)
  }

  /** The same peers, each by its addresses as {@link addressesOf} has them. Those without any are left out. */
  *addresses(query: { readonly network: string; readonly limit: number }): Generator<readonly Registration[]> {
    for (const selected of this.#select(query)) {
      const all = selected.alone ? this.#ifVisible(selected) : this.addressesOf(selected.peer)
      if (all.length > 0) {
        yield all
      }
    }
  }

  #select(query: { readonly network: string; readonly limit: number }): Registration[] {
    const { view, random } = this.#init
    const { peerId, scope } = this.#caller
    const own = view.registrationsOf(query.network, peerId)
    const current = (each: Registration) => this.#freshness.isCurrent(each)
    const others = selectRegistrations(view, { ...query, scope, except: peerId, current }, random)
    const self = own.find((registration) => this.#freshness.holds(registration))
    return self === undefined ? others : [self, ...others]
  }

  /** The addresses of a peer that may be handed to the caller, those of the caller's own address family first. */
  addressesOf({ registrations }: RegisteredPeer): readonly Registration[] {
    if (registrations.length === 1) {
      return this.#ifVisible(registrations[0]!)
    }
    const visible = registrations.filter((each) => this.#isVisible(each))
    const family = `/ip${this.#caller.ip.family}/`
    return [
      ...visible.filter(({ address }) => address.startsWith(family)),
      ...visible.filter(({ address }) => !address.startsWith(family)),
    ]
  }

  #ifVisible(registration: Registration): readonly Registration[] {
    return this.#isVisible(registration) ? [registration] : []
  }

  #isVisible(registration: Registration): boolean {
    const { scope } = registration
    return (scope === 'public' || scope === this.#caller.scope) && this.#freshness.holds(registration)
  }
}

/** What may be handed out, at one moment. */
class Freshness {
  readonly now: number
  readonly #verified: boolean
  readonly #provedFrom: number

  constructor({ clock, verified, maxProofAge }: ListingInit) {
    this.#verified = verified
    this.now = clock()
    this.#provedFrom = verified ? this.now - maxProofAge : Number.NEGATIVE_INFINITY
  }

  holds(registration: Registration): boolean {
    const { health, provisional } = registration
    return (health === 'reachable' || !this.#verified) && !provisional && this.isCurrent(registration)
  }

  isOverdue({ expiresAt, provedSince, provedAt }: Registration): boolean {
    return expiresAt > this.now && provedSince !== 0 && provedAt < this.#provedFrom
  }

  /** Neither expired nor proved too long ago. */
  isCurrent({ expiresAt, provedAt }: Registration): boolean {
    return expiresAt > this.now && provedAt >= this.#provedFrom
  }
}
