// The guard as a libp2p service: starts, sweeps and stops with the node, and has its status.

import {
  type ComponentLogger,
  type Libp2pEvents,
  type Logger,
  type Metrics,
  type PeerId,
  type PeerStore,
  type Startable,
  serviceCapabilities,
  type TypedEventTarget,
} from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Caller } from '../../peer/caller.ts'
import type { Guard } from './guard.ts'
import type { GuardCounters } from './guard-counters.ts'
import { guardMetrics } from './guard-metrics.ts'
import { PeerStoreSweep } from './peer-store-sweep.ts'
import type { LoopWait } from './recent-waits.ts'

/** How often the guard looks for connections to hang up on, ms. A look takes 0.4 ms when the table is full. */
const SWEEP_MS = 100

/** The part of a node that the guard uses. */
export interface GuardServiceComponents {
  readonly connectionManager: ConnectionManager
  readonly peerStore: PeerStore
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
  /** Where the host keeps metrics, the guard's are among them. */
  readonly metrics?: Metrics | undefined
}

export interface GuardStatus {
  /** Connections that have not finished their handshake. */
  readonly halfOpen: number
  /** Connections that have. */
  readonly open: number
  /** How long input and answers waited for their turn, ms, over the last 30 to 60 s. */
  readonly loopWait: LoopWait
  readonly counters: GuardCounters
}

/** The part of the guard that starts and stops with the node. */
export class GuardService implements Startable {
  readonly [Symbol.toStringTag] = 'bootstrap-peer-guard'
  readonly [serviceCapabilities]: string[] = ['bootstrap-peer/guard']
  readonly #guard: Guard
  readonly #components: GuardServiceComponents
  readonly #log: Logger
  readonly #peers: PeerStoreSweep
  readonly #pushMetrics: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(components: GuardServiceComponents, guard: Guard) {
    this.#guard = guard
    this.#components = components
    this.#log = components.logger.forComponent('bootstrap-peer:guard')
    const { connectionManager, peerStore, metrics } = components
    this.#pushMetrics = metrics && guardMetrics(metrics, guard)
    this.#peers = new PeerStoreSweep({
      peerStore,
      isConnected: (peerId) => connectionManager.getConnections(peerId).length > 0,
    })
  }

  get status(): GuardStatus {
    const { table, loopWait, counters } = this.#guard
    return { halfOpen: table.halfOpen, open: table.open, loopWait, counters: structuredClone(counters) }
  }

  /** Resolves when the event loop has time for an answer to a caller; at once where `loopShare` is disabled. */
  readonly takeShare = (caller: Caller): Promise<void> => this.#guard.takeShare(caller)

  start(): void {
    this.#guard.stopping = false
    if (this.#guard.protects('peerStore')) {
      this.#components.events.addEventListener('peer:disconnect', this.#onDisconnect)
    }
    // After the bytes that arrived meanwhile were read: a socket does not count as silent because the node was slow.
    this.#timer = setInterval(() => setImmediate(() => this.#sweep()), SWEEP_MS)
    this.#timer.unref()
  }

  afterStart(): void {
    if (this.#guard.protects('idle')) {
      stopChores(this.#components.connectionManager)
    }
  }

  beforeStop(): void {
    this.#guard.stopping = true
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#pushMetrics?.()
    this.#components.events.removeEventListener('peer:disconnect', this.#onDisconnect)
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    this.#peers.left(detail, performance.now())
  }

  #sweep(): void {
    this.#guard.sweep()
    this.#pushMetrics?.()
    this.#peers.sweep(performance.now()).catch((err) => this.#log.error('could not forget peers - %e', err))
  }
}

/** The guard of a node; undefined where it has none, or another service has its name. */
export function guardOf(components: { readonly guard?: unknown }): GuardService | undefined {
  try {
    return components.guard instanceof GuardService ? components.guard : undefined
  } catch {
    // libp2p's components throw for a service that is not there.
    return undefined
  }
}

/**
 * Replaces libp2p's pruner. For each new connection it lists all connections, in quadratic time (libp2p 3.3.11,
 * connection-pruner.ts), and it prunes none as long as the guard keeps the table below its limit. Its reconnect queue
 * looks up every peer that leaves for the tag KEEP_ALIVE; it goes on where the node asks for reconnects.
 */
function stopChores(connectionManager: ConnectionManager): void {
  type Chore = { stop(): void; readonly retries?: number }
  const { connectionPruner, reconnectQueue } = connectionManager as { connectionPruner?: Chore; reconnectQueue?: Chore }
  connectionPruner?.stop()
  if (reconnectQueue?.retries === 0) {
    reconnectQueue.stop()
  }
}
