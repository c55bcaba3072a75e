// The service in a libp2p node: its start, tick, stop and status.

import { type Logger, type Startable, serviceCapabilities, TypedEventEmitter } from '@libp2p/interface'
import type { Clock } from '../base/clock.ts'
import { guardOf } from '../host/guard/guard-service.ts'
import { isLegacy } from '../point/legacy-peers.ts'
import type { Registration } from '../registry/registration.ts'
import { isEditable, type ListEdit, type StoreState } from '../store/store.ts'
import { checkServiceInit } from './check-init.ts'
import { type ServiceParts, serviceParts } from './parts.ts'
import { RoomWatch } from './room-watch.ts'
import type { BootstrapServiceComponents, BootstrapServiceEvents, BootstrapServiceInit } from './service-init.ts'
import { serviceMetrics } from './service-metrics.ts'
import { type ServiceSettings, serviceSettings } from './settings.ts'
import type { BootstrapStatus } from './status.ts'

/** Between two ticks of the parts, ms. */
const TICK_MS = 250
/** How long the answers under way may take when the service stops, ms. The command promises to exit within 5 s. */
const ANSWER_GRACE_MS = 2000

/**
 * `/bootstrap/1.0.0` as a service of a libp2p node that exists already:
 *
 * ```ts
 * const node = await createLibp2p({ …, services: { bootstrap: bootstrapService({ file: 'peers.json' }) } })
 * ```
 *
 * The node itself should be guarded against what remote peers send: {@link withHost}. Throws a TypeError for a member of
 * `init` that does not exist, or is not what it can be.
 */
export function bootstrapService(
  init: BootstrapServiceInit = {},
): (components: BootstrapServiceComponents) => BootstrapService {
  checkServiceInit(init)
  return (components) => new BootstrapService(components, serviceSettings(init))
}

export class BootstrapService extends TypedEventEmitter<BootstrapServiceEvents> implements Startable {
  readonly [Symbol.toStringTag] = 'bootstrap-peer'
  readonly [serviceCapabilities]: string[] = ['bootstrap-peer']
  readonly #components: BootstrapServiceComponents
  readonly #log: Logger
  readonly #parts: ServiceParts
  readonly #pushMetrics: (() => void) | undefined
  readonly #room = new RoomWatch()
  readonly #clock: Clock
  #isOpen = false
  #timer: NodeJS.Timeout | undefined
  #storeStatus: StoreState['status'] = 'ok'

  constructor(components: BootstrapServiceComponents, settings: ServiceSettings) {
    super()
    this.#components = components
    this.#clock = settings.clock
    this.#log = components.logger.forComponent('bootstrap-peer')
    const listener = {
      warn: (message: string) => this.#warn(message),
      edited: (detail: ListEdit) => this.safeDispatchEvent('edited', { detail }),
      registered: (added: readonly Registration[]) => this.#tell('registered', added),
      evicted: (registration: Registration) => this.#tell('evicted', [registration]),
    }
    this.#parts = serviceParts(components, settings, listener, this.#log)
    const { metrics } = components
    this.#pushMetrics = metrics && serviceMetrics(metrics, this.#parts.counters, this.#parts.point.view)
  }

  /** Opens the store and restores its contents. libp2p starts to listen only after this. */
  async beforeStart(): Promise<void> {
    const { store, point, legacy, snapshots } = this.#parts
    const recovered = await store.open()
    this.#isOpen = true
    for (const message of recovered.warnings) {
      this.#warn(message)
    }
    const records = recovered.records.filter((record) => !isLegacy(record))
    for (const message of point.operatorList.restore({ ...recovered, records })) {
      this.#warn(message)
    }
    for (const record of recovered.records.filter(isLegacy)) {
      legacy.restore(record)
    }
    snapshots.changed()
  }

  /** Starts the frontends. Rejects when a port is in use; then none of them runs. */
  async start(): Promise<void> {
    const { frontends } = this.#parts
    try {
      for (const frontend of frontends) {
        await frontend.start()
      }
    } catch (err) {
      await Promise.all(frontends.map((frontend) => frontend.stop(0)))
      throw err
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Finishes the answers that are under way. */
  async beforeStop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#parts.frontends.map((frontend) => frontend.stop(ANSWER_GRACE_MS)))
    this.#pushMetrics?.()
  }

  async stop(): Promise<void> {
    const { schedule, snapshots } = this.#parts
    schedule.stop()
    await snapshots.writeLast()
    await this.#closeStore()
    await snapshots.stop()
  }

  /**
   * Reads the list that the operator edited by hand. Resolves with the outcome. An edit that leaves out more than half of
   * at least 20 registrations is refused, until this is called again with the same content, 5 s to a minute later.
   * Rejects with {@link StoreUnavailableError} when the list cannot be read at all.
   */
  async reload(): Promise<ListEdit> {
    const { store, snapshots } = this.#parts
    if (!isEditable(store)) {
      return { outcome: 'unchanged' }
    }
    const edit = await store.merge(snapshots.table)
    if (edit.outcome === 'missing') {
      snapshots.changed()
    }
    if (edit.outcome !== 'unreadable' && edit.outcome !== 'refused') {
      snapshots.resume()
    }
    return edit
  }

  /** Answers at any time, also before the start and after the stop. */
  get status(): BootstrapStatus {
    const { point, exchanges, legacyTcp, store, counters } = this.#parts
    const { view } = point
    return {
      peerCount: view.peerCount,
      registrationCount: view.size,
      livingCount: view.livingCount,
      listedCount: view.listedCount,
      staticCount: view.statics.length,
      networkCount: view.networkCount,
      exchanges: exchanges.status,
      legacyTcpPort: legacyTcp?.port,
      store: store.state,
      counters: { ...counters },
      guard: guardOf(this.#components)?.status,
    }
  }

  /** libp2p stops a node whose start failed, and would report a second failure in place of the first. */
  async #closeStore(): Promise<void> {
    try {
      await this.#parts.store.close()
      this.#isOpen = false
    } catch (err) {
      if (this.#isOpen) {
        throw err
      }
      this.#log.error('could not close a store that could not be opened - %e', err)
    }
  }

  #tick(): void {
    const { point, schedule, proofLag, legacy, store } = this.#parts
    this.#tell('expired', point.tick())
    schedule.tick()
    legacy.tick()
    const lag = proofLag()
    if (lag !== undefined) {
      this.#warn(lag)
    }
    this.#pushMetrics?.()
    const noRoom = this.#room.see(this.status, this.#clock())
    if (noRoom !== undefined) {
      this.#warn(noRoom)
    }
    const { state } = store
    if (state.status !== this.#storeStatus) {
      this.#storeStatus = state.status
      this.safeDispatchEvent('store', { detail: state })
    }
  }

  #tell(type: 'registered' | 'evicted' | 'expired', registrations: readonly Registration[]): void {
    for (const { peer, address } of registrations) {
      this.safeDispatchEvent(type, { detail: { network: peer.network, peerId: peer.id, address } })
    }
  }

  #warn(message: string): void {
    this.#log(message)
    this.safeDispatchEvent('warning', { detail: { message } })
  }
}
