import type { Clock } from '../base/clock.ts'
import type { ProofResult, Registration } from '../registry/registration.ts'
import type { Registry } from '../registry/registry.ts'
import type { Listing } from './listing.ts'
import type { Watched } from './point-watcher.ts'

export interface ProofResultsInit {
  readonly registry: Registry
  readonly listing: Listing
  readonly watched: Watched
  readonly clock: Clock
}

/** What dial-backs showed, on its way into the table. */
export class ProofResults {
  readonly #init: ProofResultsInit

  constructor(init: ProofResultsInit) {
    this.#init = init
  }

  /**
   * Records a result. Other peers that were listed at the address are out of the answers, and are to be dialed again. Readers
   * of the rendezvous protocol that are past a peer see it again when it is listed again: by this address, or by a record
   * that names it.
   */
  record(registration: Registration, result: ProofResult): void {
    const { registry, listing, watched, clock } = this.#init
    const wasListed = listing.holds(registration)
    for (const doubted of registry.recordProof(registration, result, clock())) {
      watched.watcher.doubted(doubted)
    }
    if (result === 'answered' && !wasListed) {
      registry.peerRecords.touch(registration.peer)
    }
  }
}
