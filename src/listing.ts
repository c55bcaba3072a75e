import type { Clock } from './clock.ts'
import type { Scope } from './peer/ip.ts'
import type { Caller } from './policy/caller.ts'
import { selectPeers } from './policy/selection.ts'
import type { Random } from './random.ts'
import type { RegisteredPeer, Registration } from './registry/registration.ts'
import type { Registry } from './registry/registry.ts'

export interface ListingInit {
  readonly registry: Registry
  /** Whether only what was proved is handed out. */
  readonly verified: boolean
  /** How old a proof may be for its address to be handed out, ms. */
  readonly maxProofAge: number
  readonly clock: Clock
  readonly random: Random
}

/** Who of the table is handed out at this moment, and to whom. Changes nothing. */
export class Listing {
  readonly #init: ListingInit

  constructor(init: ListingInit) {
    this.#init = init
  }

  /** Who a caller is handed: itself first, when it is listed, then `limit` others at most. */
  discover(caller: Caller, query: { readonly network: string; readonly limit: number }): RegisteredPeer[] {
    const { registry, random } = this.#init
    const current = this.#current()
    const own = registry.registrationsOf(query.network, caller.peerId)
    const others = selectPeers(registry, { ...query, scope: caller.scope, except: caller.peerId, current }, random)
    const self = own.find((registration) => this.#holds(registration, current))?.peer
    return self === undefined ? others : [self, ...others]
  }

  /** The addresses of a peer that may be handed to a caller, those of the caller's own address family first. */
  addressesFor(caller: Caller, { registrations }: RegisteredPeer): readonly Registration[] {
    const current = this.#current()
    const isVisible = (each: Registration) =>
      (each.scope === 'public' || each.scope === caller.scope) && this.#holds(each, current)
    if (registrations.length === 1) {
      return isVisible(registrations[0]!) ? registrations : []
    }
    const visible = registrations.filter(isVisible)
    const family = `/ip${caller.ip.family}/`
    return [
      ...visible.filter(({ address }) => address.startsWith(family)),
      ...visible.filter(({ address }) => !address.startsWith(family)),
    ]
  }

  /** Whether a registration is handed out now. */
  holds(registration: Registration): boolean {
    return this.#holds(registration, this.#current())
  }

  /** Whether a peer is handed out by an address of this scope. */
  holdsPeer({ registrations }: RegisteredPeer, scope: Scope): boolean {
    const current = this.#current()
    return registrations.some((each) => each.scope === scope && this.#holds(each, current))
  }

  #current(): (registration: Registration) => boolean {
    const { clock, verified, maxProofAge } = this.#init
    const now = clock()
    return ({ expiresAt, provedAt }) => expiresAt > now && (!verified || provedAt >= now - maxProofAge)
  }

  #holds(registration: Registration, current: (registration: Registration) => boolean): boolean {
    const { health, provisional } = registration
    return (health === 'reachable' || !this.#init.verified) && !provisional && current(registration)
  }
}
