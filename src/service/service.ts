import { type Logger, type Startable, serviceCapabilities, TypedEventEmitter } from '@libp2p/interface'
import { type Clock, steadyClock } from '../base/clock.ts'
import { secureRandom } from '../base/random.ts'
import { BootstrapFrontend, MAX_STREAMS } from '../frontends/bootstrap/bootstrap.ts'
import { LegacyTcpFrontend } from '../frontends/legacy-tcp.ts'
import { dialBack } from '../host/dial-back.ts'
import { LoopShare } from '../host/guard/loop-share.ts'
import { acceptsConnection } from '../host/tcp-connect.ts'
import type { Caller } from '../peer/caller.ts'
import { samePeer } from '../peer/peer-id.ts'
import { isLegacy, LegacyPeers, withLegacy } from '../point/legacy-peers.ts'
import { RendezvousPoint } from '../point/rendezvous-point.ts'
import { accessList } from '../policy/access-list.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import { RequestLimits } from '../policy/request-limits.ts'
import { SourceNatWatch } from '../policy/source-nat.ts'
import { type Dial, NEXT_PROOFS, Prober } from '../proofs/prober.ts'
import { MAX_AGE_FACTOR, ProofSchedule } from '../proofs/proof-schedule.ts'
import type { Registration } from '../registry/registration.ts'
import { Registry } from '../registry/registry.ts'
import { fileStore } from '../store/file/file-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import { type SnapshotSchedule, snapshotSchedule } from '../store/snapshot-schedule.ts'
import { EditPendingError, type ListEdit, type Store, type StoreState, type Table } from '../store/store.ts'
import { BOOTSTRAP_PROTOCOL } from '../wire/bootstrap-codec.ts'
import { RendezvousService } from './rendezvous-service.ts'
import {
  type BootstrapServiceComponents,
  type BootstrapServiceEvents,
  type BootstrapServiceInit,
  type BootstrapStatus,
  type Counters,
  MAX_NETWORKS,
  MAX_PEERS,
  MAX_PEERS_PER_NETWORK,
  REPROVE_INTERVAL_MS,
} from './service-init.ts'

/** How often time is told to the parts, ms. */
const TICK_MS = 250
/** How long the answers under way may take when the service stops, ms. The command promises to exit within 5 s. */
const ANSWER_GRACE_MS = 2000
/** A last snapshot is written when the one before took no longer than this, ms; else the journal has it all. */
const LAST_SNAPSHOT_MS = 1000

/**
 * `/bootstrap/1.0.0` as a service of a libp2p node that exists already:
 *
 * ```ts
 * const node = await createLibp2p({ …, services: { bootstrap: bootstrapService({ peers: 'peers.json' }) } })
 * ```
 *
 * The node itself should be guarded against what strangers send: {@link hostOptions}.
 */
export function bootstrapService(
  init: BootstrapServiceInit = {},
): (components: BootstrapServiceComponents) => BootstrapService {
  return (components) => new BootstrapService(components, init)
}

export class BootstrapService extends TypedEventEmitter<BootstrapServiceEvents> implements Startable {
  readonly [Symbol.toStringTag] = 'bootstrap-peer'
  readonly [serviceCapabilities]: string[] = ['bootstrap-peer']
  readonly #components: BootstrapServiceComponents
  readonly #log: Logger
  readonly #clock: Clock
  readonly #store: Store
  readonly #point: RendezvousPoint
  readonly #schedule: ProofSchedule
  readonly #snapshots: SnapshotSchedule
  readonly #frontend: BootstrapFrontend
  readonly #rendezvous: RendezvousService | undefined
  readonly #legacy: LegacyPeers
  readonly #legacyTcp: LegacyTcpFrontend
  readonly #legacyPort: number | undefined
  /** All that the store keeps. */
  readonly #table: Table
  readonly #sourceNat = new SourceNatWatch()
  readonly #counters: Counters = {
    requests: 0,
    answered: 0,
    registered: 0,
    renewed: 0,
    refused: 0,
    pending: 0,
    errors: 0,
  }
  #timer: NodeJS.Timeout | undefined
  #snapshotTook = 0
  #storeStatus: StoreState['status'] = 'ok'

  constructor(components: BootstrapServiceComponents, init: BootstrapServiceInit) {
    super()
    this.#components = components
    this.#log = components.logger.forComponent('bootstrap-peer')
    const clock = init.clock ?? steadyClock()
    const random = init.random ?? secureRandom()
    const interval = init.reproveInterval ?? REPROVE_INTERVAL_MS
    const maxPeers = init.maxPeers ?? MAX_PEERS
    const listing = init.listing ?? 'verified'
    this.#clock = clock
    this.#store = init.store ?? this.#storeAt(init.peers, clock, init.acceptEdit)
    const dial = this.#dialOthers(dialBack(components, { unlevered: init.unlevered }))
    const visitOf = (registration: Registration) => this.#rendezvous?.visitOf(registration)
    const first = new Prober({ dial, clock, visitOf })
    const next = new Prober({ dial, clock, visitOf, budget: NEXT_PROOFS })
    const rules: AdmissionRules = {
      networks: init.networks === undefined ? undefined : new Set(init.networks),
      maxNetworks: init.maxNetworks ?? MAX_NETWORKS,
      maxRegistrations: maxPeers,
      maxPeersPerNetwork: init.maxPeersPerNetwork ?? MAX_PEERS_PER_NETWORK,
      allowForeignIp: init.allowForeignIp ?? false,
      allowPrivateIp: init.allowPrivateIp ?? false,
      unlimitedNeighbours: init.unlimitedNeighbours ?? false,
      access: accessList({ deny: init.deny ?? [], allow: init.allow ?? [] }),
    }
    this.#point = new RendezvousPoint({
      registry: new Registry({ listing }),
      store: this.#store,
      rules,
      prover: listing === 'verified' ? (registration, signal) => first.prove(registration, signal) : undefined,
      maxProofAge: interval * MAX_AGE_FACTOR,
      clock,
      random,
      onChange: () => this.#snapshots.changed(),
      onRegistered: (registration) => {
        if (listing === 'verified') {
          this.#schedule.track(registration)
        }
      },
      onPeer: (peer) => this.#rendezvous?.onRegistered(peer),
    })
    this.#schedule = new ProofSchedule({ point: this.#point, first, next, interval, clock, random })
    this.#snapshots = snapshotSchedule({
      compact: () => this.#compact(),
      clock,
      onFailure: (err) => this.#snapshotFailed('the snapshot failed - %e', err),
    })
    const own = components.peerId.toString()
    const loop = new LoopShare(() => performance.now())
    this.#legacy = new LegacyPeers({
      rules,
      view: this.#point.registry,
      store: this.#store,
      connects: acceptsConnection,
      interval,
      clock,
      onChange: () => this.#snapshots.changed(),
    })
    this.#legacyPort = init.legacyTcp
    this.#table = withLegacy(this.#point, this.#legacy)
    // One budget, whichever protocol somebody speaks.
    const exchanges = {
      limits: new RequestLimits(),
      count: (event: keyof Counters) => {
        this.#counters[event]++
      },
      onCaller: (caller: Caller) => {
        const warning = this.#sourceNat.see(caller)
        if (warning !== undefined) {
          this.#notice(warning)
        }
      },
    }
    this.#frontend = new BootstrapFrontend({
      point: this.#point,
      ...exchanges,
      clock,
      siblings: (init.siblings ?? []).filter((each) => !samePeer(each.split('/p2p/')[1] ?? '', own)),
      legacy: this.#legacy,
      share: () => new Promise((resolve) => loop.take(0, resolve)),
      log: this.#log,
    })
    this.#rendezvous =
      init.rendezvous === false
        ? undefined
        : new RendezvousService(components, {
            point: this.#point,
            rules,
            clock,
            random,
            prove: async (registration) => {
              // Where nothing is proved, the bootstrap can't dial back.
              if (listing === 'verified') {
                await this.#schedule.proveNow(registration)
              }
            },
            ...exchanges,
          })
    this.#legacyTcp = new LegacyTcpFrontend({ peers: this.#legacy, limits: exchanges.limits, clock, log: this.#log })
  }

  /** Reads what was kept. libp2p starts to listen only after this. */
  async beforeStart(): Promise<void> {
    const recovered = await this.#store.open()
    for (const message of recovered.notices) {
      this.#notice(message)
    }
    this.#point.restore({ ...recovered, records: recovered.records.filter((record) => !isLegacy(record)) })
    for (const record of recovered.records.filter(isLegacy)) {
      this.#legacy.restore(record)
    }
    this.#snapshots.changed()
  }

  async start(): Promise<void> {
    await this.#components.registrar.handle(BOOTSTRAP_PROTOCOL, this.#frontend.handle, {
      maxInboundStreams: MAX_STREAMS,
      maxOutboundStreams: 0,
    })
    await this.#rendezvous?.start()
    if (this.#legacyPort !== undefined) {
      await this.#legacyTcp.listen(this.#legacyPort)
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Answers what was asked, then keeps what is known. */
  async beforeStop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#components.registrar.unhandle(BOOTSTRAP_PROTOCOL)
    await Promise.all([
      this.#frontend.stop(ANSWER_GRACE_MS),
      this.#rendezvous?.stop(ANSWER_GRACE_MS),
      this.#legacyTcp.stop(),
    ])
  }

  async stop(): Promise<void> {
    this.#schedule.stop()
    const { pending } = this.#snapshots
    const last = pending && this.#snapshotTook <= LAST_SNAPSHOT_MS ? this.#compact() : undefined
    await last?.catch((err) => this.#snapshotFailed('the last snapshot failed, the journal has it all - %e', err))
    await this.#store.close()
    await this.#snapshots.stop()
  }

  /**
   * Takes in the list as the operator edited it by hand, and says what became of it. What leaves out more than half of at
   * least 20 registrations is refused, until this is called again with the same content, 5 s to a minute later.
   * Rejects with {@link StoreUnavailableError} when the list can't be read at all.
   */
  async reload(): Promise<ListEdit> {
    const edit = await this.#store.merge(this.#table)
    if (edit.outcome === 'missing') {
      this.#snapshots.changed()
    }
    if (edit.outcome !== 'unreadable' && edit.outcome !== 'refused') {
      this.#snapshots.resume()
    }
    return edit
  }

  get status(): BootstrapStatus {
    const { registry } = this.#point
    return {
      peers: registry.peerCount,
      registrations: registry.size,
      statics: registry.statics.length,
      networks: registry.networkCount,
      ...(this.#legacyTcp.port === undefined ? {} : { legacyTcpPort: this.#legacyTcp.port }),
      store: this.#store.state,
      counters: { ...this.#counters },
    }
  }

  #tick(): void {
    for (const { peer, address } of this.#point.tick()) {
      this.safeDispatchEvent('expired', { detail: { network: peer.network, peerId: peer.id, address } })
    }
    this.#schedule.tick()
    this.#legacy.tick()
    const { state } = this.#store
    if (state.status !== this.#storeStatus) {
      this.#storeStatus = state.status
      this.safeDispatchEvent('store', { detail: state })
    }
  }

  async #compact(): Promise<void> {
    const started = performance.now()
    await this.#store.compact(this.#table)
    this.#snapshotTook = performance.now() - started
  }

  #storeAt(path: string | undefined, clock: Clock, acceptEdit: boolean | undefined): Store {
    const onEdit = (detail: ListEdit) => this.safeDispatchEvent('edited', { detail })
    return path === undefined ? memoryStore() : fileStore({ path, clock, onEdit, acceptEdit: acceptEdit ?? false })
  }

  #snapshotFailed(message: string, err: unknown): void {
    // The operator has been told of an edit that is left alone when it was found.
    if (!(err instanceof EditPendingError)) {
      this.#log.error(message, err)
    }
  }

  #notice(message: string): void {
    this.#log(message)
    this.safeDispatchEvent('notice', { detail: { message } })
  }

  /** A node that registers our own address would have us dial ourselves. */
  #dialOthers(dial: Dial): Dial {
    return async (address, visit) => {
      const own = this.#components.addressManager.getAddresses()
      return own.some((each) => each.toString().startsWith(`${address}/`) || each.toString() === address)
        ? { fault: 'dial_self' }
        : await dial(address, visit)
    }
  }
}
