// A budget of one spender that refills with time.

export interface Budget {
  /** How much may be spent at once. */
  readonly burst: number
  /** How much refills each second, up to `burst`. */
  readonly perSecond: number
}

/** A budget that refills with time, for one spender. The clock is an argument, ms. */
export class TokenBucket {
  readonly #budget: Budget
  #left: number
  #at: number

  constructor(budget: Budget, now: number) {
    this.#budget = budget
    this.#left = budget.burst
    this.#at = now
  }

  /** Spends. Returns false, and spends nothing, when there is not enough left. */
  spend(amount: number, now: number): boolean {
    const { burst, perSecond } = this.#budget
    this.#left = Math.min(burst, this.#left + (Math.max(0, now - this.#at) * perSecond) / 1000)
    this.#at = now
    if (amount > this.#left) {
      return false
    }
    this.#left -= amount
    return true
  }
}
