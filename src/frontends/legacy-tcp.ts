// The frontend of the original program's wire, raw TCP.

import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Logger } from '@libp2p/interface'
import { type Caller, callerAt } from '../peer/caller.ts'
import type { LegacyApi } from '../point/point-api.ts'
import type { ExchangeGroup, Exchanges, Frontend } from './exchanges/exchanges.ts'
import type { Place } from './exchanges/places.ts'

/** The most bytes of a request. `{"address":"[…]:65535"}` has 64. */
export const MAX_REQUEST_BYTES = 1024
/** Connections at a time; the system refuses more. */
export const MAX_CONNECTIONS = 256

export interface LegacyTcpInit {
  /** Where it listens, on all addresses of the machine; 0 is any. */
  readonly port: number
  readonly exchanges: Exchanges
  readonly legacy: Pick<LegacyApi, 'register'>
  readonly log: Logger
}

/**
 * The wire of the original program: a TCP connection brings one JSON object, `{"address":"host:port"}`, and is closed
 * without an answer, registered or not.
 */
export class LegacyTcpFrontend implements Frontend {
  readonly #init: LegacyTcpInit
  #running: { readonly server: Server; readonly group: ExchangeGroup } | undefined

  constructor(init: LegacyTcpInit) {
    this.#init = init
  }

  /** Where it listens; undefined while it does not. */
  get port(): number | undefined {
    const address = this.#running?.server.address()
    return typeof address === 'object' ? address?.port : undefined
  }

  async start(): Promise<void> {
    const group = this.#init.exchanges.open(this.#init.log)
    const server = createServer((socket) => this.#accept(socket, group))
    server.maxConnections = MAX_CONNECTIONS
    server.listen(this.#init.port)
    await once(server, 'listening')
    this.#running = { server, group }
  }

  async stop(graceMs: number): Promise<void> {
    const running = this.#running
    this.#running = undefined
    if (running !== undefined) {
      const closed = once(running.server, 'close')
      running.server.close()
      await running.group.stop(graceMs)
      await closed
    }
  }

  #accept(socket: Socket, group: ExchangeGroup): void {
    // A reset is an end: nothing more comes.
    socket.on('error', () => {})
    const caller = callerOf(socket)
    const served =
      caller !== undefined && 'wait' in group.next(caller)
        ? group.admit(caller, {
            serve: (place) => this.#serve(socket, { caller, place, group }),
            giveWay: () => socket.destroy(),
          })
        : undefined
    if (served === undefined) {
      socket.destroy()
      return
    }
    served.catch((err) => this.#init.log.error('a client of the original wire failed - %e', err))
  }

  async #serve(
    socket: Socket,
    { caller, place, group }: { readonly caller: Caller; readonly place: Place; readonly group: ExchangeGroup },
  ): Promise<void> {
    const stopping = group.signal
    const stopped = Promise.withResolvers<void>()
    const end = () => {
      socket.destroy()
      stopped.resolve()
    }
    stopping.addEventListener('abort', end, { once: true })
    try {
      const address = await readAddress(socket, group.readTimeout)
      if (address !== undefined) {
        place.begin()
        await Promise.race([this.#init.legacy.register(caller, address), stopped.promise])
      }
    } finally {
      stopping.removeEventListener('abort', end)
    }
  }
}

/** This wire proves no PeerId: where callers are counted by it, the IP takes its place. */
function callerOf({ remoteAddress = '', remoteFamily, remotePort }: Socket): Caller | undefined {
  return callerAt(remoteAddress, `/${remoteFamily === 'IPv6' ? 'ip6' : 'ip4'}/${remoteAddress}/tcp/${remotePort}`)
}

/** Resolves to the address that a socket brings; undefined when none comes in time. Closes the socket either way. */
function readAddress(socket: Socket, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => socket.destroy(), timeout)
    socket.once('close', () => {
      clearTimeout(deadline)
      resolve(undefined)
    })
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      const address = addressIn(text)
      if (address !== undefined || text.length > MAX_REQUEST_BYTES) {
        socket.removeAllListeners('data')
        socket.end(() => socket.destroy())
        resolve(address)
      }
    })
  })
}

/** The address of the first JSON value, once it is whole, as Go's decoder takes it: with or without a line end. */
function addressIn(text: string): string | undefined {
  for (const candidate of [text, text.split('\n', 1)[0]!]) {
    try {
      const value: unknown = JSON.parse(candidate)
      if (typeof value === 'object' && value !== null && 'address' in value && typeof value.address === 'string') {
        return value.address
      }
    } catch {
      // Not whole yet, or no JSON: the deadline ends that.
    }
  }
  return undefined
}
