import type { Store, Table } from '../src/store/store.ts'

/** A store whose snapshots can be waited for, held back and asked for. */
export class WatchedStore implements Store {
  readonly #store: Store
  readonly #first = Promise.withResolvers<void>()
  #table: Table | undefined
  #running: Promise<void> | undefined
  #held = false

  constructor(store: Store) {
    this.#store = store
  }

  get state() {
    return this.#store.state
  }

  open = () => this.#store.open()
  append: Store['append'] = (changes) => this.#store.append(changes)
  close = () => this.#store.close()

  async compact(table: Table): Promise<void> {
    this.#table = table
    if (this.#held) {
      // Whoever wants one now waits for ever; the journal has it all.
      await new Promise(() => {})
    }
    this.#running = this.#store.compact(table)
    await this.#running
    this.#first.resolve()
  }

  /** Resolves when the first snapshot after the start is over. From then on none begins but by {@link snapshot}. */
  async settle(): Promise<void> {
    await this.#first.promise
    this.#held = true
    await this.#running
  }

  /** To be called when it is settled. Resolves to how long it took, ms. */
  async snapshot(): Promise<number> {
    const started = performance.now()
    await this.#store.compact(this.#table!)
    return performance.now() - started
  }
}
