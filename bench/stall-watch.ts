import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'

/** Milliseconds. */
export interface Stalls {
  /** The longest that the event loop stood still, whatever held it: work, garbage collection, another process. */
  readonly stall: number
  /** The longest pause for garbage collection; it is in the above. */
  readonly collection: number
}

/** How long the event loop stands still. Costs nothing until it is started: it wakes up each millisecond. */
export class StallWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: 1 })
  #collection = 0
  #collections: PerformanceObserver | undefined

  /** Forgets what was, and begins anew. Nothing else does: looking at the figures leaves them. */
  restart(): void {
    this.#delay.enable()
    this.#delay.reset()
    this.#collection = 0
    if (this.#collections === undefined) {
      this.#collections = new PerformanceObserver((list) => {
        this.#collection = Math.max(this.#collection, ...list.getEntries().map(({ duration }) => duration))
      })
      this.#collections.observe({ entryTypes: ['gc'] })
    }
  }

  get longest(): Stalls {
    return { stall: this.#delay.max / 1e6, collection: this.#collection }
  }
}
