import { type Logger, type Startable, serviceCapabilities, TypedEventEmitter } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Clock, steadyClock } from '../base/clock.ts'
import { secureRandom } from '../base/random.ts'
import { BootstrapFrontend } from '../frontends/bootstrap/bootstrap.ts'
import { Exchanges, type Frontend } from '../frontends/exchanges.ts'
import { LegacyTcpFrontend } from '../frontends/legacy-tcp.ts'
import { ReaderForms } from '../frontends/rendezvous/reader-forms.ts'
import { RendezvousFrontend } from '../frontends/rendezvous/rendezvous.ts'
import { dialBack } from '../host/dial-back.ts'
import { guardOf } from '../host/guard/guard-service.ts'
import { IdentifiedPeers } from '../host/identified.ts'
import { acceptsConnection } from '../host/tcp-connect.ts'
import { samePeer } from '../peer/peer-id.ts'
import { isLegacy, LegacyPeers, withLegacy } from '../point/legacy-peers.ts'
import { LocalPoint } from '../point/local-point.ts'
import { RecordLearner } from '../point/record-learner.ts'
import { RendezvousPoint } from '../point/rendezvous-point.ts'
import { SignedRecords } from '../point/signed-records.ts'
import { ProofLagWatch } from '../policy/proof-lag.ts'
import { RequestLimits } from '../policy/request-limits.ts'
import { SourceNatWatch } from '../policy/source-nat.ts'
import { FIRST_PROOFS, NEXT_PROOFS, Prober } from '../proofs/prober.ts'
import { proofCost } from '../proofs/proof-cost.ts'
import { byAge } from '../proofs/proof-interval.ts'
import { ProofPace } from '../proofs/proof-pace.ts'
import { MAX_AGE_FACTOR, ProofSchedule } from '../proofs/proof-schedule.ts'
import type { Registration } from '../registry/registration.ts'
import { Registry } from '../registry/registry.ts'
import { fileStore } from '../store/file/file-store.ts'
import { memoryStore } from '../store/memory-store.ts'
import { type SnapshotSchedule, snapshotSchedule } from '../store/snapshot-schedule.ts'
import { EditPendingError, isEditable, type ListEdit, type Store, type StoreState, type Table } from '../store/store.ts'
import { zeroCounters } from './counters.ts'
import { readerOf, recordAnswerOf } from './identify-answers.ts'
import { takesShare } from './loop-share.ts'
import { rulesOf } from './rules.ts'
import {
  type BootstrapServiceComponents,
  type BootstrapServiceEvents,
  type BootstrapServiceInit,
  PROOF_CPU_PERCENT,
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
  /** In the order in which they start. */
  readonly #frontends: readonly Frontend[]
  readonly #legacyTcp: LegacyTcpFrontend | undefined
  readonly #learner: RecordLearner | undefined
  readonly #legacy: LegacyPeers
  /** All that the store keeps. */
  readonly #table: Table
  readonly #sourceNat = new SourceNatWatch()
  readonly #proofLag = new ProofLagWatch()
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
    const listing = init.listing ?? 'verified'
    this.#clock = clock
    this.#store = init.store ?? this.#storeAt(init.file, clock, init.acceptEdit)
    const dial = dialBack(components, { disabled: init.disable?.optimizations ?? [] })
    const visitOf = (registration: Registration) => this.#learner?.visitOf(registration)
    const first = new Prober({ dial, clock, visitOf, budget: FIRST_PROOFS })
    const next = new Prober({ dial, clock, visitOf, budget: NEXT_PROOFS })
    const rules = rulesOf(init)
    this.#point = new RendezvousPoint({
      registry: new Registry({ listing }),
      store: this.#store,
      rules,
      prover: listing === 'verified' ? first : undefined,
      maxProofAge: interval * MAX_AGE_FACTOR,
      clock,
      random,
    })
    this.#point.watch({
      changed: () => this.#snapshots.changed(),
      tracked: (registration) => {
        if (listing === 'verified') {
          this.#schedule.track(registration)
        }
      },
      doubted: (registration) => this.#schedule.doubt(registration),
      registered: (peer, added) => {
        for (const { address } of added) {
          this.safeDispatchEvent('registered', { detail: { network: peer.network, peerId: peer.id, address } })
        }
        this.#learner?.onRegistered(peer)
      },
    })
    const cpuShare = (init.proofCpuPercent ?? PROOF_CPU_PERCENT) / 100
    const pace = new ProofPace({ cpuShare, cost: proofCost, clock })
    const parts = { point: this.#point, first, next, pace, clock, random }
    this.#schedule = new ProofSchedule({ ...parts, interval, intervalOf: byAge })
    this.#snapshots = snapshotSchedule({
      compact: () => this.#compact(),
      clock,
      onFailure: (err) => this.#snapshotFailed('the snapshot failed - %e', err),
    })
    this.#legacy = new LegacyPeers({
      rules,
      view: this.#point.view,
      store: this.#store,
      connects: acceptsConnection,
      interval,
      clock,
      onChange: () => this.#snapshots.changed(),
    })
    this.#table = withLegacy(this.#point.operatorList, this.#legacy)
    const records = new SignedRecords({ point: this.#point, rules })
    // One budget for the callers of all protocols.
    const exchanges = new Exchanges({
      limits: new RequestLimits(),
      clock,
      takeShare: takesShare(components, init.disable?.protections ?? []),
      count: (event) => {
        this.#counters[event]++
      },
      onCaller: (caller) => {
        const warning = this.#sourceNat.see(caller)
        if (warning !== undefined) {
          this.#warn(warning)
        }
      },
    })
    let forms: ReaderForms | undefined
    if (init.rendezvous !== false) {
      // A budget each: a crowd of callers is not to keep the node from learning of those who register.
      const readers = new IdentifiedPeers(components, { clock })
      const registered = new IdentifiedPeers(components, { clock })
      this.#learner = new RecordLearner({
        view: this.#point.view,
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
      forms = new ReaderForms(async ({ remotePeer }) => readerOf(await readers.of(remotePeer)))
    }
    const { registrar, peerId, logger } = components
    const point = new LocalPoint({ point: this.#point, records, learner: this.#learner, prover: first })
    const [legacy, log] = [this.#legacy, this.#log]
    const siblings = (init.siblings ?? []).filter((each) => !samePeer(each.split('/p2p/')[1] ?? '', peerId.toString()))
    const rendezvousLog = logger.forComponent('bootstrap-peer:rendezvous')
    this.#legacyTcp =
      init.legacyTcp === undefined ? undefined : new LegacyTcpFrontend({ port: init.legacyTcp, exchanges, legacy, log })
    this.#frontends = [
      new BootstrapFrontend({ registrar, exchanges, point, legacy, siblings, clock, log }),
      forms && new RendezvousFrontend({ registrar, exchanges, point, forms, random, log: rendezvousLog }),
      this.#legacyTcp,
    ].filter((each) => each !== undefined)
  }

  /** Reads what was kept. libp2p starts to listen only after this. */
  async beforeStart(): Promise<void> {
    const recovered = await this.#store.open()
    for (const message of recovered.warnings) {
      this.#warn(message)
    }
    this.#point.operatorList.restore({ ...recovered, records: recovered.records.filter((record) => !isLegacy(record)) })
    for (const record of recovered.records.filter(isLegacy)) {
      this.#legacy.restore(record)
    }
    this.#snapshots.changed()
  }

  /** Takes requests. Rejects when a port is taken; none is taken then. */
  async start(): Promise<void> {
    try {
      for (const frontend of this.#frontends) {
        await frontend.start()
      }
    } catch (err) {
      await Promise.all(this.#frontends.map((frontend) => frontend.stop(0)))
      throw err
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Answers what was asked, then keeps what is known. */
  async beforeStop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#frontends.map((frontend) => frontend.stop(ANSWER_GRACE_MS)))
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
    const { view } = this.#point
    return {
      peerCount: view.peerCount,
      registrationCount: view.size,
      livingCount: view.livingCount,
      listedCount: view.listedCount,
      staticCount: view.statics.length,
      networkCount: view.networkCount,
      legacyTcpPort: this.#legacyTcp?.port,
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
    const { livingCount: living, listedCount: listed } = this.#point.view
    const lag = this.#proofLag.see({ living, listed }, this.#clock())
    if (lag !== undefined) {
      this.#warn(lag)
    }
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
}
