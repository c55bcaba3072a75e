/** The part of the living that has to be listed, and how long it may be less, ms: a restart takes up to 20 minutes. */
const ENOUGH = 0.95
const TOLERATED_MS = 30 * 60_000
/** It says so again after this time, ms. */
const AGAIN_MS = 24 * 3_600_000
/** With fewer, the proofs keep up whatever the machine. */
const FEW = 1000

/** Sees when the dial-backs do not keep up with the table, so that the operator hears of it. */
export class ProofLagWatch {
  #since: number | undefined
  #quietUntil = 0

  /** Returns what to say, if anything is new. `now` in ms. */
  see(counts: { readonly living: number; readonly listed: number }, now: number): string | undefined {
    const { living, listed } = counts
    if (living < FEW || listed >= ENOUGH * living) {
      this.#since = undefined
      return undefined
    }
    this.#since ??= now
    if (now - this.#since < TOLERATED_MS || now < this.#quietUntil) {
      return undefined
    }
    this.#quietUntil = now + AGAIN_MS
    return (
      `${listed} of ${living} living registrations are listed: they take turns, since dialing all of them again within ` +
      'the time that a proof counts takes more CPU than --proof-cpu-percent allows; raise it, or run another bootstrap'
    )
  }
}
