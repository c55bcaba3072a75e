// How many dial-backs a second the table needs, within a share of CPU.

import type { Clock } from '../base/clock.ts'

export interface ProofPaceInit {
  /** The share of a core that dial-backs may take: 0.5 is half of one. */
  readonly cpuShare: number
  /** What a dial-back costs, ms of CPU. Asked once, when it is first needed. */
  readonly cost: () => number
  readonly clock: Clock
}

/** What may be saved up for a moment when more are due, ms. */
const BURST_MS = 500

/** When the next dial-back of a known peer may begin: as many a second as the share of CPU carries. */
export class ProofPace {
  readonly #init: ProofPaceInit
  #perSecond: number | undefined
  #left = 0
  #at: number

  constructor(init: ProofPaceInit) {
    this.#init = init
    this.#at = init.clock() - BURST_MS
  }

  /** Dial-backs a second. */
  get perSecond(): number {
    this.#perSecond ??= (this.#init.cpuShare * 1000) / this.#init.cost()
    return this.#perSecond
  }

  /** Whether one may begin now. Takes nothing. */
  get isOpen(): boolean {
    const now = this.#init.clock()
    const most = Math.max(2, (this.perSecond * BURST_MS) / 1000)
    this.#left = Math.min(most, this.#left + (Math.max(0, now - this.#at) * this.perSecond) / 1000)
    this.#at = now
    return this.#left >= 1
  }

  /** One begins, in its turn or ahead of it: those that come after it wait the longer. */
  take(): void {
    this.#left -= 1
  }
}
