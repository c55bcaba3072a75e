import { subscribe, unsubscribe } from 'node:diagnostics_channel'

const CHANNEL = 'net.server.socket'

/** Counts the dial-backs that reach the clients of this process: nobody else calls them. */
export class DialBacks implements Disposable {
  count = 0
  #waiting: { readonly until: number; readonly resolve: () => void } | undefined
  readonly #onSocket = () => {
    this.count++
    if (this.#waiting !== undefined && this.count >= this.#waiting.until) {
      this.#waiting.resolve()
    }
  }

  constructor() {
    subscribe(CHANNEL, this.#onSocket)
  }

  /** Resolves when so many more have come. One waits at a time. */
  async more(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting = { until: this.count + count, resolve }
    })
  }

  [Symbol.dispose](): void {
    unsubscribe(CHANNEL, this.#onSocket)
  }
}
