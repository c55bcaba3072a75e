import { generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { Identify } from '@libp2p/identify'
import { type ComponentLogger, type Libp2p, type PeerId, type PrivateKey, TypedEventEmitter } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { checkOptions, type ModuleOptions, objectWith, texts } from './base/option-kinds.ts'
import { ConfirmAddresses, type ConfirmAddressesComponents } from './host/confirm-addresses.ts'
import { HOST_OPTIONS, type HostInit, hostSettings } from './host/host-init.ts'
import { bootstrapOnly } from './host/libp2p.ts'
import { silentLogger } from './host/patches/silent-logger.ts'
import { assertFree } from './host/port-check.ts'
import type { Optimization } from './host/switches.ts'
import { merged } from './host/with-host.ts'
import { checkTogether, SERVICE_OPTIONS } from './service/check-init.ts'
import { BootstrapService } from './service/service.ts'
import type {
  BootstrapServiceComponents,
  BootstrapServiceEvents,
  BootstrapServiceInit,
} from './service/service-init.ts'
import { type Sources, serviceSettings } from './service/settings.ts'
import { type BootstrapStatus, emptyStatus } from './service/status.ts'
import type { ListEdit } from './store/store.ts'

// What `reload()` resolves to, and the state of the store in `status`: for the commands.
export type { ListEdit, RefusedEdit, StoreState, UselessEntries } from './store/store.ts'

export interface BootstrapPeerInit extends BootstrapServiceInit, HostInit {
  /** The identity. Default: a new Ed25519 key that is not kept. */
  readonly privateKey?: PrivateKey
  /** Multiaddrs to listen on. Default: any port on 127.0.0.1. */
  readonly listen?: readonly string[]
  /** Multiaddrs that others reach it at, where they differ from what it listens on. */
  readonly announce?: readonly string[]
  /** Default: libp2p's own when the environment has DEBUG, else none. */
  readonly logger?: ComponentLogger
}

/** The status of the service, and of the node around it. */
export interface NodeStatus extends BootstrapStatus {
  readonly peerId: string
  /** With `/p2p`, to hand to others; empty while the node does not run. */
  readonly multiaddrs: readonly string[]
  readonly running: boolean
  /** Ms since it was started; 0 while it does not run. */
  readonly uptimeMs: number
  readonly connectionCount: number
}

const LISTEN = ['/ip4/127.0.0.1/tcp/0']

/** What each member can be. */
const OPTIONS: ModuleOptions<BootstrapPeerInit> = {
  example: `{ listen: ['/ip4/0.0.0.0/tcp/4000'], file: 'peers.json' }`,
  table: {
    ...SERVICE_OPTIONS.table,
    ...HOST_OPTIONS.table,
    privateKey: objectWith(['sign', 'publicKey'], "a libp2p private key: await generateKeyPair('Ed25519')"),
    listen: texts('/ip4/0.0.0.0/tcp/4000', multiaddrProblem),
    announce: texts('/ip4/203.0.113.7/tcp/4000', multiaddrProblem),
    logger: objectWith(['forComponent'], "a ComponentLogger, such as defaultLogger() of '@libp2p/logger'"),
  },
  otherNames: { ...SERVICE_OPTIONS.otherNames, ...HOST_OPTIONS.otherNames, key: 'privateKey', addresses: 'listen' },
}

/**
 * A bootstrap node in process:
 *
 * ```ts
 * const bootstrap = createBootstrapPeer()
 * await bootstrap.start()
 * ```
 *
 * Nothing happens before `start()`. No handler of the process is touched. Throws a TypeError for a member of `init` that
 * does not exist, or is not what it can be.
 */
export function createBootstrapPeer(init: BootstrapPeerInit = {}): BootstrapPeer {
  checkOptions('createBootstrapPeer', init, OPTIONS)
  checkTogether('createBootstrapPeer', init)
  return new BootstrapPeer(init)
}

export class BootstrapPeer extends TypedEventEmitter<BootstrapServiceEvents> {
  readonly peerId: PeerId
  readonly #init: BootstrapPeerInit
  readonly #sources: Partial<Sources>
  readonly #privateKey: PrivateKey
  #running: { readonly libp2p: BootstrapLibp2p; readonly since: number } | undefined
  /** The service that was started last: it answers for its status when it is stopped, too. */
  #service: BootstrapService | undefined
  /** The start and the stop that were asked for last; only one of them is defined. */
  #started: Promise<void> | undefined
  #stopped: Promise<void> | undefined

  /** @param sources time and randomness, for tests */
  constructor(init: BootstrapPeerInit, sources: Partial<Sources> = {}) {
    super()
    this.#init = init
    this.#sources = sources
    this.#privateKey = init.privateKey ?? newPrivateKey()
    this.peerId = peerIdFromPrivateKey(this.#privateKey)
  }

  /**
   * Resolves when it listens. Rejects when it can't: a port taken, a list that another process has; it can be called again
   * then. Calls before the next `stop()` share one start. While the node stops, the start waits for the end of the stop.
   */
  start(): Promise<void> {
    if (this.#started === undefined) {
      const started = this.#startAfter(this.#stopped).catch((err) => {
        if (this.#started === started) {
          this.#started = undefined
        }
        throw err
      })
      this.#started = started
      this.#stopped = undefined
    }
    return this.#started
  }

  /**
   * Finishes the answers under way, writes what changed, closes all connections. Idempotent. While the node starts, the stop waits for the end of
   * the start.
   */
  async stop(): Promise<void> {
    if (this.#started !== undefined) {
      this.#stopped = this.#stopAfter(this.#started)
      this.#started = undefined
    }
    await this.#stopped
  }

  /** As {@link stop}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #startAfter(stopped: Promise<void> | undefined): Promise<void> {
    await stopped?.catch(() => {})
    const { listen = LISTEN, announce = [], logger } = this.#init
    await assertFree(listen)
    const host = hostSettings(this.#init)
    const service = serviceSettings(this.#init, this.#sources)
    const own = {
      privateKey: this.#privateKey,
      start: false,
      nodeInfo: { userAgent: `bootstrap-peer/${packageVersion()}` },
      addresses: { listen: [...listen], announce: [...announce] },
      ...loggerOption(logger, host.disabled.optimizations),
      connectionManager: bootstrapOnly.connectionManager,
      services: {
        ...bootstrapOnly.services,
        confirmAddresses: (components: ConfirmAddressesComponents) => new ConfirmAddresses(components),
        bootstrap: (components: BootstrapServiceComponents) => new BootstrapService(components, service),
      },
    }
    const libp2p = await createLibp2p(merged(own, host))
    const { bootstrap } = libp2p.services
    this.#service = bootstrap
    for (const type of FORWARDED) {
      bootstrap.addEventListener(type, (event: CustomEvent) => {
        this.safeDispatchEvent(type, { detail: event.detail })
      })
    }
    // When it rejects, it has stopped what had started.
    await libp2p.start()
    this.#running = { libp2p, since: performance.now() }
  }

  async #stopAfter(started: Promise<void>): Promise<void> {
    await started.catch(() => {})
    const running = this.#running
    this.#running = undefined
    await running?.libp2p.stop()
  }

  /** As {@link BootstrapService.reload}. Throws while it does not run. */
  async reload(): Promise<ListEdit> {
    return await this.libp2p.services.bootstrap.reload()
  }

  /** Where it listens, with `/p2p`; empty while it does not. */
  get multiaddrs(): string[] {
    return this.#running?.libp2p.getMultiaddrs().map((each) => each.toString()) ?? []
  }

  /** The libp2p node. Throws while it does not run. */
  get libp2p(): BootstrapLibp2p {
    if (this.#running === undefined) {
      throw new Error('the bootstrap peer does not run; call start() first')
    }
    return this.#running.libp2p
  }

  /** Answers at any time. While the node does not run, the counts are those of its last run, or zero. */
  get status(): NodeStatus {
    const running = this.#running
    return {
      ...(this.#service?.status ?? emptyStatus()),
      peerId: this.peerId.toString(),
      multiaddrs: this.multiaddrs,
      running: running !== undefined,
      uptimeMs: running === undefined ? 0 : Math.floor(performance.now() - running.since),
      connectionCount: running?.libp2p.getConnections().length ?? 0,
    }
  }
}

export type BootstrapLibp2p = Libp2p<{ identify: Identify; ping: Ping; bootstrap: BootstrapService }>

/** Every event of the service; the compiler asks for a new one. */
const FORWARDED = Object.keys({
  warning: true,
  edited: true,
  store: true,
  registered: true,
  evicted: true,
  expired: true,
} satisfies Record<keyof BootstrapServiceEvents, true>) as Array<keyof BootstrapServiceEvents>

function loggerOption(logger: ComponentLogger | undefined, disabled: readonly Optimization[]) {
  const isLoud = process.env.DEBUG !== undefined || disabled.includes('silentLogger')
  return logger === undefined && isLoud ? {} : { logger: logger ?? silentLogger() }
}

/** libp2p makes keys asynchronously; what constructs nothing but a value need not wait. */
function newPrivateKey(): PrivateKey {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return privateKeyFromRaw(Buffer.concat([Buffer.from(d!, 'base64url'), Buffer.from(x!, 'base64url')]))
}

/** The file is as far from `src` as from `dist`. */
function packageVersion(): string {
  return createRequire(import.meta.url)('../package.json').version
}

function multiaddrProblem(address: string): string | undefined {
  try {
    multiaddr(address)
    return undefined
  } catch {
    return 'write a multiaddr, such as /ip4/0.0.0.0/tcp/4000'
  }
}
