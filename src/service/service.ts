import { type Logger, type Startable, serviceCapabilities, TypedEventEmitter } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Clock, steadyClock } from '../base/clock.ts'
import { secureRandom } from '../base/random.ts'
import { BootstrapFrontend } from '../frontends/bootstrap/bootstrap.ts'
import { MAX_STREAMS } from '../frontends/exchanges.ts'
import { LegacyTcpFrontend } from '../frontends/legacy-tcp.ts'
import { ReaderForms } from '../frontends/rendezvous/reader-forms.ts'
import { RendezvousFrontend } from '../frontends/rendezvous/rendezvous.ts'
import { dialBack } from '../host/dial-back.ts'
import { guardOf } from '../host/guard/guard-service.ts'
import { LoopShare } from '../host/guard/loop-share.ts'
import { IdentifiedPeers } from '../host/identified.ts'
import { acceptsConnection } from '../host/tcp-connect.ts'
import type { Caller } from '../peer/caller.ts'
import { samePeer } from '../peer/peer-id.ts'
import { isLegacy, LegacyPeers, withLegacy } from '../point/legacy-peers.ts'
import { LocalPoint } from '../point/local-point.ts'
import { RecordLearner } from '../point/record-learner.ts'
import { RendezvousPoint } from '../point/rendezvous-point.ts'
import { SignedRecords } from '../point/signed-records.ts'
import { accessList } from '../policy/access-list.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import { RequestLimits } from '../policy/request-limits.ts'
import { SourceNatWatch } from '../policy/source-nat.ts'
import type { Dial } from '../proofs/dial.ts'
import { NEXT_PROOFS, Prober } from '../proofs/prober.ts'
import { MAX_AGE_FACTOR, ProofSchedule } from '../proofs/proof-schedule.ts'
import type { Registration } from '../registry/registration.ts'
import { Registry } from '../registry/registry.ts'
import { fileStore } from '../store/file/file-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import { type SnapshotSchedule, snapshotSchedule } from '../store/snapshot-schedule.ts'
import { EditPendingError, isEditable, type ListEdit, type Store, type StoreState, type Table } from '../store/store.ts'
import { BOOTSTRAP_PROTOCOL } from '../wire/bootstrap-codec.ts'
import { RENDEZVOUS_PROTOCOL } from '../wire/rendezvous-messages.ts'
import { type Counters, zeroCounters } from './counters.ts'
import { readerOf, recordAnswerOf } from './identify-answers.ts'
import {
  type BootstrapServiceComponents,
  type BootstrapServiceEvents,
  type BootstrapServiceInit,
  MAX_NETWORKS,
  MAX_PEERS,
  MAX_PEERS_PER_NETWORK,
  REPROVE_INTERVAL_MS,
} from './service-init.ts'
import type { BootstrapStatus } from './status.ts'

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
 * const node = await createLibp2p({ …, services: { bootstrap: bootstrapService({ file: 'peers.json' }) } })
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
  readonly #rendezvous: RendezvousFrontend | undefined
  readonly #learner: RecordLearner | undefined
  /** What frontends see of the point. */
  // biome-ignore lint/correctness/noUnusedPrivateClassMembers: the frontends still call the point itself
  readonly #api: LocalPoint
  readonly #legacy: LegacyPeers
  readonly #legacyTcp: LegacyTcpFrontend
  readonly #legacyPort: number | undefined
  /** All that the store keeps. */
  readonly #table: Table
  readonly #sourceNat = new SourceNatWatch()
  readonly #counters = zeroCounters()
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
    this.#store = init.store ?? this.#storeAt(init.file, clock, init.acceptEdit)
    const dial = this.#dialOthers(dialBack(components, { disabled: init.disable?.optimizations }))
    const visitOf = (registration: Registration) => this.#learner?.visitOf(registration)
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
      prover: listing === 'verified' ? first : undefined,
      maxProofAge: interval * MAX_AGE_FACTOR,
      clock,
      random,
      onChange: () => this.#snapshots.changed(),
      onRegistered: (registration) => {
        if (listing === 'verified') {
          this.#schedule.track(registration)
        }
      },
      onAdded: ({ peer, address }) => {
        this.safeDispatchEvent('registered', { detail: { network: peer.network, peerId: peer.id, address } })
      },
      onPeer: (peer) => this.#learner?.onRegistered(peer),
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
          this.#warn(warning)
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
    const records = new SignedRecords({ point: this.#point, rules, clock })
    if (init.rendezvous !== false) {
      // A budget each: a crowd of callers is not to keep the node from learning of those who register.
      const readers = new IdentifiedPeers(components, { clock })
      const registered = new IdentifiedPeers(components, { clock })
      const learner = new RecordLearner({
        registry: this.#point.registry,
        records,
        clock,
        ask: async (peerId) => recordAnswerOf(await registered.of(peerIdFromString(peerId))),
        askDialled: async (peer) => recordAnswerOf(await registered.ask(peer)),
        prove: async (registration) => {
          // Where nothing is proved, the bootstrap can't dial back.
          if (listing === 'verified') {
            await this.#schedule.proveNow(registration)
          }
        },
      })
      this.#learner = learner
      this.#rendezvous = new RendezvousFrontend({
        point: this.#point,
        records,
        ...exchanges,
        clock,
        random,
        forms: new ReaderForms(async ({ remotePeer }) => readerOf(await readers.of(remotePeer))),
        log: components.logger.forComponent('bootstrap-peer:rendezvous'),
        onDiscover: (network) => learner.onDiscover(network),
      })
    }
    this.#api = new LocalPoint({ point: this.#point, records, learner: this.#learner, prover: first })
    this.#legacyTcp = new LegacyTcpFrontend({ peers: this.#legacy, limits: exchanges.limits, clock, log: this.#log })
  }

  /** Reads what was kept. libp2p starts to listen only after this. */
  async beforeStart(): Promise<void> {
    const recovered = await this.#store.open()
    for (const message of recovered.warnings) {
      this.#warn(message)
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
    if (this.#rendezvous !== undefined) {
      await this.#components.registrar.handle(RENDEZVOUS_PROTOCOL, this.#rendezvous.handle, {
        maxInboundStreams: MAX_STREAMS,
        maxOutboundStreams: 0,
      })
    }
    if (this.#legacyPort !== undefined) {
      await this.#legacyTcp.listen(this.#legacyPort)
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Answers what was asked, then keeps what is known. */
  async beforeStop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#components.registrar.unhandle(BOOTSTRAP_PROTOCOL)
    if (this.#rendezvous !== undefined) {
      await this.#components.registrar.unhandle(RENDEZVOUS_PROTOCOL)
    }
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
    if (!isEditable(this.#store)) {
      return { outcome: 'unchanged' }
    }
    const edit = await this.#store.merge(this.#table)
    if (edit.outcome === 'missing') {
      this.#snapshots.changed()
    }
    if (edit.outcome !== 'unreadable' && edit.outcome !== 'refused') {
      this.#snapshots.resume()
    }
    return edit
  }

  /** Answers at any time, also before the start and after the stop. */
  get status(): BootstrapStatus {
    const { registry } = this.#point
    return {
      peerCount: registry.peerCount,
      registrationCount: registry.size,
      staticCount: registry.statics.length,
      networkCount: registry.networkCount,
      legacyTcpPort: this.#legacyTcp.port,
      store: this.#store.state,
      counters: { ...this.#counters },
      guard: guardOf(this.#components)?.status,
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

  #warn(message: string): void {
    this.#log(message)
    this.safeDispatchEvent('warning', { detail: { message } })
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
