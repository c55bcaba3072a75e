import { FairShares } from '../base/fair-shares.ts'
import { pathOf, placesOf } from './neighbourhoods.ts'
import type { Registration } from './registration.ts'

/** The registrations of one network group, or of a private range, in nested subnets: of all networks, and of each. */
export class Crowd {
  readonly all = new FairShares<Registration>()
  readonly #networks = new Map<string, FairShares<Registration>>()
  readonly #sizeAtStart: number

  /** @param registrations the oldest first. */
  constructor(registrations: Iterable<Registration>) {
    for (const registration of registrations) {
      this.add(registration)
    }
    this.#sizeAtStart = this.all.size
  }

  /** Whether half of it is gone: it is not worth being kept up to date. */
  get isOver(): boolean {
    return this.all.size * 2 < this.#sizeAtStart || this.all.size === 0
  }

  /** Those of one network. */
  of(network: string): FairShares<Registration> | undefined {
    return this.#networks.get(network)
  }

  add(registration: Registration): void {
    const path = pathOf(placesOf(registration))
    const { network } = registration.peer
    const own = this.#networks.get(network) ?? new FairShares()
    this.#networks.set(network, own)
    own.add(path, registration)
    this.all.add(path, registration)
  }

  remove(registration: Registration): void {
    const path = pathOf(placesOf(registration))
    const { network } = registration.peer
    const own = this.#networks.get(network)
    own?.remove(path, registration)
    if (own?.size === 0) {
      this.#networks.delete(network)
    }
    this.all.remove(path, registration)
  }

  /** It may give way again. */
  release(registration: Registration): void {
    const path = pathOf(placesOf(registration))
    this.#networks.get(registration.peer.network)?.release(path, registration)
    this.all.release(path, registration)
  }
}
