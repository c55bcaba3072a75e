/** What takes increments, by label: a counter group of js-libp2p's `Metrics`. */
export interface CounterGroup {
  increment(values: Record<string, number>): void
}

/**
 * Passes on by how much counters rose since the last time, so that what counts them needs to know of no metrics. All labels
 * are there from the start, at 0.
 *
 * Not `calculate` of js-libp2p's `registerCounterGroup`: its Prometheus metrics add what that returns to the counter each
 * time they are read (packages/metrics-prometheus/src/counter-group.ts), its simple metrics show it as it is.
 */
export class CounterFeed {
  readonly #group: CounterGroup
  readonly #read: () => Readonly<Record<string, number>>
  readonly #passed = new Map<string, number>()

  constructor(group: CounterGroup, read: () => Readonly<Record<string, number>>) {
    this.#group = group
    this.#read = read
    this.#group.increment(Object.fromEntries(Object.keys(read()).map((label) => [label, 0])))
  }

  push(): void {
    const risen: Record<string, number> = {}
    for (const [label, count] of Object.entries(this.#read())) {
      const rise = count - (this.#passed.get(label) ?? 0)
      if (rise > 0) {
        risen[label] = rise
        this.#passed.set(label, count)
      }
    }
    if (Object.keys(risen).length > 0) {
      this.#group.increment(risen)
    }
  }
}
