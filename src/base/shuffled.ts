import type { Random } from './random.ts'

/** The items in a random order. */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const drawn = new Shuffled(items, random)
  return items.map(() => drawn.next()!)
}

/** A random order of the items, drawn one by one: the first few of a million cost no more than the first few of ten. */
export class Shuffled<Item> {
  readonly #items: readonly Item[]
  readonly #random: Random
  #left: number
  /** What stands where something else was drawn from. */
  #moved: Map<number, number> | undefined

  constructor(items: readonly Item[], random: Random) {
    this.#items = items
    this.#random = random
    this.#left = items.length
  }

  next(): Item | undefined {
    if (this.#left === 0) {
      return undefined
    }
    const at = Math.floor(this.#random() * this.#left)
    const item = this.#items[this.#moved?.get(at) ?? at]
    this.#left--
    if (at !== this.#left) {
      this.#moved ??= new Map()
      this.#moved.set(at, this.#moved.get(this.#left) ?? this.#left)
    }
    return item
  }
}

/** The whole number below or above, so that the average over many calls is the value. */
export function stochasticRound(value: number, random: Random): number {
  return Math.floor(value) + (random() < value % 1 ? 1 : 0)
}
