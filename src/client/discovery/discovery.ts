import {
  type PeerDiscovery,
  type PeerDiscoveryEvents,
  type PeerDiscoveryProvider,
  peerDiscoverySymbol,
  type Startable,
  serviceCapabilities,
  TypedEventEmitter,
} from '@libp2p/interface'
import { BootstrapClient } from '../bootstrap-client.ts'
import type { Connect } from './bootstraps-init.ts'
import {
  type BootstrapDiscoveryComponents,
  type BootstrapDiscoveryInit,
  checkDiscoveryInit,
  type DiscoverySettings,
  settingsOf,
} from './discovery-init.ts'
import { DiscoveryRun } from './discovery-run.ts'

/**
 * Finds the peers of a network through its bootstraps, and keeps this node findable there:
 *
 * ```ts
 * const node = await createLibp2p({
 *   …,
 *   peerDiscovery: [bootstrapDiscovery({ bootstraps: ['/ip4/203.0.113.7/tcp/4000/p2p/12D3Koo…'], cache: 'peers-cache.json' })],
 * })
 * ```
 *
 * It emits `peer`; libp2p 3 dials none of them by itself, see `peerKeeper`. Throws a TypeError at once when an option does not
 * exist or is not what it can be; the message says what to write instead. Nothing is thrown later: a failure is an event
 * and another attempt. Without `onEvent`, libp2p's logger gets a warning, once, of what a developer has to know: no bootstrap
 * answers, this node has nothing to register or is not listed, it has no peers after 30 s.
 */
export function bootstrapDiscovery(
  init: BootstrapDiscoveryInit,
): (components: BootstrapDiscoveryComponents) => BootstrapDiscovery {
  checkDiscoveryInit(init)
  return (components) => new Discovery(components, init)
}

/** The module as libp2p sees it. */
export interface BootstrapDiscovery extends PeerDiscovery, PeerDiscoveryProvider, Startable {}

/** `connect` is for tests; the default makes clients over libp2p. */
export class Discovery extends TypedEventEmitter<PeerDiscoveryEvents> implements BootstrapDiscovery {
  readonly [Symbol.toStringTag] = 'bootstrap-peer-discovery'
  readonly [serviceCapabilities]: string[] = ['@libp2p/peer-discovery']
  readonly #components: BootstrapDiscoveryComponents
  readonly #init: BootstrapDiscoveryInit
  readonly #connect: Connect | undefined
  #run: DiscoveryRun | undefined

  constructor(components: BootstrapDiscoveryComponents, init: BootstrapDiscoveryInit, connect?: Connect) {
    super()
    this.#components = components
    this.#init = init
    this.#connect = connect
  }

  get [peerDiscoverySymbol](): PeerDiscovery {
    return this
  }

  isStarted(): boolean {
    return this.#run !== undefined
  }

  start(): void {}

  /** Begins. Not in start(): only now the node listens and can dial. Idempotent. */
  afterStart(): void {
    if (this.#run === undefined) {
      const components = this.#components
      const settings = settingsOf(this.#init)
      this.#run = new DiscoveryRun({
        components,
        settings,
        connect: this.#connect ?? overLibp2p(components, settings),
        onPeer: (detail) => this.safeDispatchEvent('peer', { detail }),
      })
      this.#run.start()
    }
  }

  /** Takes back what was registered, in 5 s at most, while the node still has its connections. Idempotent. */
  async beforeStop(): Promise<void> {
    const run = this.#run
    this.#run = undefined
    await run?.stop()
  }

  async stop(): Promise<void> {
    await this.beforeStop()
  }
}

function overLibp2p(
  { peerId, connectionManager }: BootstrapDiscoveryComponents,
  { network, timeout }: DiscoverySettings,
): Connect {
  const dialer = { peerId, dial: connectionManager.openConnection.bind(connectionManager) }
  return (addresses) => new BootstrapClient(dialer, addresses, { network, timeout })
}
