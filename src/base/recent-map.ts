/**
 * A map that forgets the entries set longest ago: it holds the last `max / 2` keys at least, and `max` at most. Two
 * generations, the older dropped as a whole, need neither a list of uses nor room in advance.
 */
export class RecentMap<Key, Value> {
  readonly #max: number
  #recent = new Map<Key, Value>()
  #older = new Map<Key, Value>()

  constructor(max: number) {
    this.#max = max
  }

  /** How many it holds; a key that was set in both generations counts twice. */
  get size(): number {
    return this.#recent.size + this.#older.size
  }

  get(key: Key): Value | undefined {
    return this.#recent.get(key) ?? this.#older.get(key)
  }

  has(key: Key): boolean {
    return this.#recent.has(key) || this.#older.has(key)
  }

  set(key: Key, value: Value): void {
    this.#recent.set(key, value)
    if (this.#recent.size >= this.#max / 2) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
  }

  delete(key: Key): void {
    this.#recent.delete(key)
    this.#older.delete(key)
  }
}
