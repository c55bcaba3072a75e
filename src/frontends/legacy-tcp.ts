import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Logger } from '@libp2p/interface'
import type { Clock } from '../base/clock.ts'
import { type Caller, callerAt } from '../peer/caller.ts'
import type { LegacyPeers } from '../point/legacy-peers.ts'
import type { RequestLimits } from '../policy/request-limits.ts'

/** The most bytes of a request. `{"address":"[…]:65535"}` has 64. */
export const MAX_REQUEST_BYTES = 1024
/** How long a request may take, ms. */
export const REQUEST_TIMEOUT_MS = 5000
/** Connections at a time; the system hangs up on those beyond. */
export const MAX_CONNECTIONS = 256

export interface LegacyTcpInit {
  readonly peers: LegacyPeers
  readonly limits: RequestLimits
  readonly clock: Clock
  readonly log: Logger
}

/**
 * The wire of the original: a TCP connection brings one JSON object, `{"address":"host:port"}`, and is closed without an
 * answer, whatever becomes of it.
 */
export class LegacyTcpFrontend {
  readonly #init: LegacyTcpInit
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(init: LegacyTcpInit) {
    this.#init = init
    this.#server = createServer((socket) => this.#serve(socket))
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  /** Where it listens; undefined while it does not. */
  get port(): number | undefined {
    const address = this.#server.address()
    return typeof address === 'object' ? address?.port : undefined
  }

  /** Listens on all addresses of the machine. Rejects with the system's error. */
  async listen(port: number): Promise<void> {
    this.#server.listen(port)
    await once(this.#server, 'listening')
  }

  /** Hangs up on whoever is there. */
  async stop(): Promise<void> {
    if (!this.#server.listening) {
      return
    }
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) {
      socket.destroy()
    }
    await closed
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // A reset is as good as an end: nothing more comes.
    socket.on('error', () => {})
    const caller = callerOf(socket)
    if (caller === undefined || !this.#takesTurn(caller)) {
      socket.destroy()
      return
    }
    const deadline = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS)
    socket.once('close', () => clearTimeout(deadline))
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      const address = readAddress(text)
      if (address !== undefined || text.length > MAX_REQUEST_BYTES) {
        socket.removeAllListeners('data')
        socket.end(() => socket.destroy())
      }
      if (address !== undefined) {
        this.#register(caller, address)
      }
    })
  }

  /** Nobody waits for an answer. */
  #register(caller: Caller, address: string): void {
    this.#init.peers.register(caller, address).catch((err) => this.#init.log.error('an old client failed - %e', err))
  }

  #takesTurn(caller: Caller): boolean {
    const turn = this.#init.limits.next(caller, this.#init.clock())
    return 'wait' in turn
  }
}

/** Nobody proved an identity: the IP stands in for it where one is counted by. */
function callerOf({ remoteAddress = '', remoteFamily, remotePort }: Socket): Caller | undefined {
  return callerAt(remoteAddress, `/${remoteFamily === 'IPv6' ? 'ip6' : 'ip4'}/${remoteAddress}/tcp/${remotePort}`)
}

/** The address of the first JSON value, once it is whole, as Go's decoder takes it: with or without a line end. */
function readAddress(text: string): string | undefined {
  for (const candidate of [text, text.split('\n', 1)[0]!]) {
    try {
      const value: unknown = JSON.parse(candidate)
      if (typeof value === 'object' && value !== null && 'address' in value && typeof value.address === 'string') {
        return value.address
      }
    } catch {
      // Not whole yet, or never JSON: then its time runs out.
    }
  }
  return undefined
}
