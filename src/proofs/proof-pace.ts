import type { Clock } from '../base/clock.ts'

export interface ProofPaceInit {
  /** The share of a core that dial-backs may take: 0.5 is half of one. */
  readonly cpuShare: number
  readonly clock: Clock
}

/** CPU of a dial-back, with what it takes to write it down, ms: `docs/performance.md`, re-proof of a peer. */
export const PROOF_CPU_MS = 1.5
/** What may be saved up for a moment when more are due, ms. */
const BURST_MS = 500

/** When the next dial-back of a known peer may begin: as many a second as the share of CPU carries. */
export class ProofPace {
  /** Dial-backs a second. */
  readonly perSecond: number
  readonly #clock: Clock
  #left = 0
  #at: number

  constructor({ cpuShare, clock }: ProofPaceInit) {
    this.perSecond = (cpuShare * 1000) / PROOF_CPU_MS
    this.#clock = clock
    this.#at = clock() - BURST_MS
  }

  /** Whether one may begin now. Takes nothing. */
  get isOpen(): boolean {
    const now = this.#clock()
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
