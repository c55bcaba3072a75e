// The order in which waiting dial-backs get their turns.

import { Waiting } from './waiting.ts'

/** Retries under way at a time. A silent address holds its place for 4 s, so these alone try 16 of them a second. */
export const MAX_RETRIES = 64
/** Of so many turns one is for the retries, where both wait. */
export const RETRY_EVERY = 4

/**
 * Whose turn it is, of those that wait for a proof: first come, first served, but for those that missed the last one. A crowd
 * that fell silent at once, and is asked again and again, is not to take the turns of the living.
 */
export class Lanes<Item> {
  readonly #living = new Waiting<Item>()
  readonly #missing = new Waiting<Item>()
  #turns = 0
  #retries = 0

  get size(): number {
    return this.#living.size + this.#missing.size
  }

  add(item: Item, missed: boolean): void {
    const lane = missed ? this.#missing : this.#living
    lane.push(item)
  }

  /** Takes out the next one, of those that `isDue` still holds for; undefined when none may begin now. */
  next(isDue: (item: Item) => boolean): Turn<Item> | undefined {
    while (this.size > 0) {
      const isRetry = this.#isForRetry()
      const item = (isRetry ? this.#missing : this.#living).shift()
      if (item === undefined) {
        return undefined
      }
      if (isDue(item)) {
        this.#turns++
        this.#retries += isRetry ? 1 : 0
        return { item, isRetry }
      }
    }
    return undefined
  }

  /** What had this turn is over. */
  end({ isRetry }: Turn<Item>): void {
    this.#retries -= isRetry ? 1 : 0
  }

  clear(): void {
    this.#living.clear()
    this.#missing.clear()
  }

  #isForRetry(): boolean {
    const mayRetry = this.#missing.size > 0 && this.#retries < MAX_RETRIES
    return mayRetry && (this.#living.size === 0 || this.#turns % RETRY_EVERY === 0)
  }
}

export interface Turn<Item> {
  readonly item: Item
  readonly isRetry: boolean
}
