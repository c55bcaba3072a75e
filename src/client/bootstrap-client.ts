// The client of one bootstrap over `/bootstrap/1.0.0`: register, unregister, discover.

import { type AbortOptions, type Connection, ConnectionClosedError, type Libp2p, type Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { checkArgument, checkOptions, type ModuleOptions, number, texts, toggle } from '../base/option-kinds.ts'
import { parseAddress } from '../peer/address.ts'
import { type Ip, type Scope, scopeOf } from '../peer/ip.ts'
import { DEFAULT_TTL_MS, MAX_LIMIT, MAX_TTL_MS, MIN_TTL_MS } from '../peer/limits.ts'
import { BOOTSTRAP_PROTOCOL } from '../wire/bootstrap-codec.ts'
import type { Family } from './addresses-to-register.ts'
import { EXAMPLE_BOOTSTRAP, peerIdOf } from './bootstrap-address.ts'
import type { BootstrapAnswer } from './bootstrap-answer.ts'
import { BootstrapError, bootstrapErrorOf } from './bootstrap-error.ts'
import { type Answer, type Request, readAnswer, requestLine } from './bootstrap-messages.ts'
import { CALL_TIMEOUT_MS, exchangeLine } from './exchange.ts'
import { literalAddresses } from './literal-addresses.ts'
import { readOfferedBootstraps, readOfferedPeers } from './offered-peers.ts'
import { libp2pWith, network, peerMultiaddr, peerMultiaddrs, signal, timeout } from './shared-options.ts'

/** The part of a libp2p node that the client uses. */
export type Dialer = Pick<Libp2p, 'peerId' | 'dial'>

export interface BootstrapClientInit {
  /** The network, which is one chain: at most 255 bytes of UTF-8. Default `''`, the network without a name. */
  readonly network?: string
  /** How long a call may take, ms, dialling included: 1000 to 600,000. Default {@link CALL_TIMEOUT_MS}. */
  readonly timeout?: number
}

export interface CallOptions extends AbortOptions {
  /** How many peers to answer with: 0 to 1000. Default: up to 250. */
  readonly limit?: number
  /** Whether the answer explains: `observed`, `registrations`, `bootstraps`. Default true; false makes it shorter. */
  readonly explain?: boolean
}

export interface RegisterOptions extends CallOptions {
  /** How long the registration lasts unless it is renewed, ms: 60,000 to 259,200,000. Default 7,200,000. */
  readonly ttl?: number
}

/**
 * Addresses to register; or a function that returns them once there is a connection, for a node that listens on another
 * port in IPv4 than in IPv6. It is called with the family of the connection, undefined when the connection has no IP.
 */
export type AddressesToRegister = readonly string[] | ((family: Family | undefined) => readonly string[])

const OPTIONS: ModuleOptions<BootstrapClientInit> = {
  example: `{ network: 'mychain' }`,
  table: { network, timeout },
  otherNames: { chain: 'network', namespace: 'network' },
}

const CALL: ModuleOptions<CallOptions> = {
  example: '{ limit: 20 }',
  table: {
    limit: number({ min: 0, max: MAX_LIMIT, example: 20 }),
    explain: toggle,
    signal,
  },
}

const REGISTER: ModuleOptions<RegisterOptions> = {
  example: '{ ttl: 3_600_000 }',
  table: { ...CALL.table, ttl: number({ min: MIN_TTL_MS, max: MAX_TTL_MS, unit: 'ms', example: DEFAULT_TTL_MS }) },
}

/**
 * A client of one bootstrap: registers this node, takes it back, asks for the other peers.
 *
 * ```ts
 * const bootstrap = new BootstrapClient(node, '/ip4/203.0.113.7/tcp/4000/p2p/12D3Koo…', { network: 'mychain' })
 * const { peers } = await bootstrap.discover()
 * ```
 *
 * Every call opens a stream of its own, dialling where there is no connection. It rejects with a {@link BootstrapError} when
 * it gets no answer in time, and with a TypeError for options that are not as described. A connection that it dialled is
 * closed when the last call is done: a bootstrap serves more nodes than it has room for connections.
 */
export class BootstrapClient {
  /** The bootstrap's PeerId, base58btc. */
  readonly id: string
  readonly multiaddrs: readonly string[]
  readonly #dialer: Dialer
  readonly #network: string
  readonly #timeout: number
  #calls = 0

  /**
   * `bootstrap` is its multiaddr with `/p2p/<PeerId>`, or several of the same PeerId. Throws a TypeError that says what to
   * write instead when an argument or an option is not what it can be.
   */
  constructor(dialer: Dialer, bootstrap: string | readonly string[], init: BootstrapClientInit = {}) {
    const module = 'BootstrapClient'
    checkArgument(module, 'the first argument', dialer, libp2pWith('dial'))
    checkArgument(module, 'bootstrap', bootstrap, Array.isArray(bootstrap) ? peerMultiaddrs : peerMultiaddr)
    checkOptions(module, init, OPTIONS)
    this.multiaddrs = typeof bootstrap === 'string' ? [bootstrap] : bootstrap
    this.id = onlyPeerId(this.multiaddrs)
    this.#dialer = dialer
    this.#network = init.network ?? ''
    this.#timeout = init.timeout ?? CALL_TIMEOUT_MS
  }

  /**
   * Registers addresses: multiaddrs of literal IP and TCP port, or `/ip4/0.0.0.0/tcp/<port>` for "this port, at the IP
   * you see me at". Resolves when the bootstrap has dialled each back, or after 5 s with those undecided `pending`.
   */
  async register(addresses: AddressesToRegister, options: RegisterOptions = {}): Promise<BootstrapAnswer> {
    checkCall('register', typeof addresses === 'function' ? [] : addresses, options, REGISTER)
    const chosen = typeof addresses === 'function' ? addresses : () => addresses
    return await this.#call((family) => ({ addresses: chosen(family), ttl: options.ttl }), options)
  }

  /** Takes addresses back; without any, all of this node's in the network. */
  async unregister(addresses: readonly string[] = [], options: CallOptions = {}): Promise<BootstrapAnswer> {
    checkCall('unregister', addresses, options, CALL)
    return await this.#call(() => ({ addresses, ttl: 0 }), options)
  }

  /** Only asks. */
  async discover(options: CallOptions = {}): Promise<BootstrapAnswer> {
    checkCall('discover', [], options, CALL)
    return await this.#call(() => ({}), options)
  }

  async #call(
    request: (family: Family | undefined) => Pick<Request, 'addresses' | 'ttl'>,
    { limit, explain = true, signal }: CallOptions,
  ): Promise<BootstrapAnswer> {
    const deadline = AbortSignal.timeout(this.#timeout)
    const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
    const startedAt = Date.now() // as the connection's own timeline
    let connection: Connection | undefined
    this.#calls++
    try {
      const opened = await this.#openStream(either)
      const { stream } = opened
      connection = opened.connection
      const ip = farEnd(connection)
      const line = requestLine({ network: this.#network, ...request(ip && familyOf(ip)), limit, explain })
      const answer = readAnswer(await exchangeLine(stream, line, either))
      // A far end without an IP counts as one on the internet, which may name the least.
      return this.#read(answer, ip === undefined ? 'public' : scopeOf(ip))
    } catch (err) {
      throw bootstrapErrorOf(err, this.id, either.aborted ? (signal?.aborted ? 'aborted' : 'timeout') : undefined)
    } finally {
      this.#calls--
      if (connection !== undefined && this.#calls === 0 && connection.timeline.open >= startedAt) {
        hangUp(connection)
      }
    }
  }

  async #openStream(signal: AbortSignal): Promise<{ connection: Connection; stream: Stream }> {
    const literal = await literalAddresses(this.multiaddrs, signal)
    const target = literal.map((each) => multiaddr(each))
    const connection = await this.#dialer.dial(target, { signal })
    try {
      return { connection, stream: await connection.newStream(BOOTSTRAP_PROTOCOL, { signal }) }
    } catch (err) {
      if (!(err instanceof ConnectionClosedError)) {
        throw err
      }
      // libp2p returns a connection until its socket is closed, even while it is closing.
      const fresh = await this.#dialer.dial(target, { signal, force: true })
      return { connection: fresh, stream: await fresh.newStream(BOOTSTRAP_PROTOCOL, { signal }) }
    }
  }

  #read(answer: Answer | string, seenAt: Scope): BootstrapAnswer {
    if (typeof answer === 'string') {
      throw new BootstrapError(answer, this.id, 'it answered something that is no list of peers')
    }
    const { error, observed, registrations } = answer
    const all = readOfferedPeers(answer.peers, seenAt)
    const refusal = error && new BootstrapError(error.code, this.id, error.message, { retryAfter: error.retryAfter })
    if (refusal !== undefined && all.length === 0) {
      throw refusal
    }
    const own = this.#dialer.peerId.toString()
    const peers = all.filter(({ id }) => id !== own)
    const bootstraps = readOfferedBootstraps(answer.bootstraps, seenAt)
    return { peers, self: all.find(({ id }) => id === own), observed, registrations, bootstraps, error: refusal }
  }
}

/** Closes a connection gracefully, and does not wait for that; leaves one alone that another module uses. */
function hangUp(connection: Connection): void {
  if (connection.streams.every(({ protocol }) => isHouseKeeping(protocol))) {
    connection.close().catch((err) => connection.abort(err))
  }
}

/** Whether a stream is one that libp2p itself opens on a new connection, or the one that has just ended. */
function isHouseKeeping(protocol: string): boolean {
  return protocol === BOOTSTRAP_PROTOCOL || protocol === '' || /^\/ipfs\/(id|ping)\//.test(protocol)
}

/** Where the far end of a connection is; undefined when that is no IP address. */
function farEnd({ remoteAddr }: Connection): Ip | undefined {
  const parsed = parseAddress(remoteAddr.toString())
  return typeof parsed === 'string' ? undefined : parsed.address?.ip
}

/** A socket for both families shows IPv4 as `::ffff:a.b.c.d`; the far end sees IPv4. */
function familyOf({ family, text }: Ip): Family {
  return text.startsWith('::ffff:') ? 4 : family
}

/** Throws a TypeError unless these are arguments of that method. */
function checkCall<Options extends CallOptions>(
  method: string,
  addresses: unknown,
  options: Options,
  known: ModuleOptions<Options>,
): void {
  const module = `BootstrapClient.${method}`
  checkArgument(module, 'addresses', addresses, texts('/ip4/0.0.0.0/tcp/4001'))
  checkOptions(module, options, known)
}

/** The PeerId that all of the addresses name. */
function onlyPeerId(addresses: readonly string[]): string {
  const [id, ...others] = new Set(addresses.map((address) => peerIdOf(address)!))
  if (id === undefined || others.length > 0) {
    throw new TypeError(
      id === undefined
        ? `BootstrapClient: bootstrap is an empty array; write its multiaddrs, such as ['${EXAMPLE_BOOTSTRAP}']`
        : `BootstrapClient: the addresses of bootstrap name several peers (${[id, ...others].join(', ')}); make a client for each`,
    )
  }
  return id
}
