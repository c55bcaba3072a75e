/** What is due at which time: a list for each unit of time, so that adding is one push, however much is planned. */
export class Calendar<Item> {
  readonly #lists = new Map<number, Item[]>()
  /** The origin of the units, ms: small numbers are stored without a box. */
  readonly #start: number
  readonly #unitMs: number
  #reached = 0

  constructor(start: number, unitMs: number) {
    this.#start = start
    this.#unitMs = unitMs
  }

  /** Returns the unit in which it will be due: the first that is not over at `at`, ms. */
  add(item: Item, at: number): number {
    const unit = Math.max(Math.ceil((at - this.#start) / this.#unitMs), this.#reached)
    const list = this.#lists.get(unit)
    if (list === undefined) {
      this.#lists.set(unit, [item])
    } else {
      list.push(item)
    }
    return unit
  }

  /** Takes out what is due by now, in order, each with its unit. */
  *take(now: number): Generator<readonly [Item, number], undefined> {
    const last = Math.floor((now - this.#start) / this.#unitMs)
    while (this.#reached <= last) {
      const unit = this.#reached++
      const list = this.#lists.get(unit)
      this.#lists.delete(unit)
      for (const item of list ?? []) {
        yield [item, unit]
      }
    }
  }

  clear(): void {
    this.#lists.clear()
  }
}
