import type { Clock } from '../base/clock.ts'
import type { ProofResult, Registration } from '../registry/registration.ts'
import type { Registry } from '../registry/registry.ts'
import type { Watched } from './point-watcher.ts'

export interface ProofResultsInit {
  readonly registry: Registry
  readonly watched: Watched
  readonly clock: Clock
}

/** What dial-backs showed, on its way into the table. */
export class ProofResults {
  readonly #init: ProofResultsInit

  constructor(init: ProofResultsInit) {
    this.#init = init
  }

  /** Records a result. Other peers that were listed at the address are out of the answers, and are to be dialed again. */
  record(registration: Registration, result: ProofResult): void {
    const { registry, watched, clock } = this.#init
    for (const doubted of registry.recordProof(registration, result, clock())) {
      watched.watcher.doubted(doubted)
    }
  }
}
