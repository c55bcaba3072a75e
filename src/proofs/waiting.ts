/** Those whose time has come, first come, first served. Adding and taking cost the same, however many wait. */
export class Waiting<Item> {
  #items: Item[] = []
  #first = 0

  get size(): number {
    return this.#items.length - this.#first
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    const item = this.#items[this.#first]
    this.#first += item === undefined ? 0 : 1
    // `Array.shift` moves all that are behind: with 100,000 waiting that would be milliseconds.
    if (this.#first >= 1024 && this.#first * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
    return item
  }

  clear(): void {
    this.#items = []
    this.#first = 0
  }
}
