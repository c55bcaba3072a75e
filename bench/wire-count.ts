import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { Socket } from 'node:net'

/** What the accepted sockets of a process sent and received. */
export interface Wire {
  readonly sockets: number
  /** Each is a write(2) or a writev(2). */
  readonly writes: number
  readonly sent: number
  readonly received: number
}

/**
 * Counts what goes through the sockets that this process accepts. Where Node hands chunks to the system it calls
 * `_write` for one and `_writev` for those that were corked together: below whatever joins writes.
 */
export class WireCount {
  readonly #sockets: Socket[] = []
  #writes = 0
  #started = false

  start(): void {
    if (!this.#started) {
      this.#started = true
      subscribe('net.server.socket', (message) => this.#watch((message as { readonly socket: Socket }).socket))
    }
    this.#sockets.length = 0
    this.#writes = 0
  }

  /** Once all that were accepted since the start are closed. */
  async whenClosed(): Promise<Wire> {
    await Promise.all(this.#sockets.map(async (socket) => socket.closed || (await once(socket, 'close'))))
    const sum = (bytes: (socket: Socket) => number) => this.#sockets.reduce((total, each) => total + bytes(each), 0)
    return {
      sockets: this.#sockets.length,
      writes: this.#writes,
      sent: sum(({ bytesWritten }) => bytesWritten),
      received: sum(({ bytesRead }) => bytesRead),
    }
  }

  #watch(socket: Socket): void {
    this.#sockets.push(socket)
    for (const name of ['_write', '_writev'] as const) {
      const write = socket[name] as (...args: unknown[]) => void
      socket[name] = (...args: unknown[]) => {
        this.#writes++
        write.apply(socket, args)
      }
    }
  }
}
