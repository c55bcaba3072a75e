// Puts the parts of the service together.

import type { Logger } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Clock } from '../base/clock.ts'
import { BootstrapFrontend } from '../frontends/bootstrap/bootstrap.ts'
import { Exchanges, type Frontend } from '../frontends/exchanges/exchanges.ts'
import { LegacyTcpFrontend } from '../frontends/legacy-tcp.ts'
import { ReaderForms } from '../frontends/rendezvous/reader-forms.ts'
import { RendezvousFrontend } from '../frontends/rendezvous/rendezvous.ts'
import { dialBack } from '../host/dial-back.ts'
import { IdentifiedPeers } from '../host/identified.ts'
import { acceptsConnection } from '../host/tcp-connect.ts'
import { samePeer } from '../peer/peer-id.ts'
import { LegacyPeers, withLegacy } from '../point/legacy-peers.ts'
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
import type { ListEdit, Store } from '../store/store.ts'
import { type Counters, zeroCounters } from './counters.ts'
import { readerOf, recordAnswerOf } from './identify-answers.ts'
import { takesShare } from './loop-share.ts'
import type { BootstrapServiceComponents } from './service-init.ts'
import type { ServiceSettings } from './settings.ts'
import { Snapshots } from './snapshots.ts'

/** The parts that the service starts, ticks, asks and stops. */
export interface ServiceParts {
  readonly store: Store
  readonly snapshots: Snapshots
  readonly point: RendezvousPoint
  readonly legacy: LegacyPeers
  readonly schedule: ProofSchedule
  /** Says when the dial-backs do not keep up; undefined while they do. */
  readonly proofLag: () => string | undefined
  /** In the order in which they start. */
  readonly frontends: readonly Frontend[]
  readonly legacyTcp: LegacyTcpFrontend | undefined
  readonly exchanges: Exchanges
  readonly counters: Counters
}

/** What the parts report. */
export interface ServiceListener {
  readonly warn: (message: string) => void
  readonly edited: (edit: ListEdit) => void
  /** New registrations, once the store has them. */
  readonly registered: (added: readonly Registration[]) => void
  /** A registration that gave way to another one. */
  readonly evicted: (registration: Registration) => void
}

/** Constructs the parts, which call each other from then on. Starts nothing. */
export function serviceParts(
  components: BootstrapServiceComponents,
  settings: ServiceSettings,
  listener: ServiceListener,
  log: Logger,
): ServiceParts {
  const { clock, random, rules, reproveInterval: interval } = settings
  const isVerified = settings.listing === 'verified'
  const store = settings.store ?? storeAt(settings, listener)
  const visits: { learner?: RecordLearner } = {}
  const dial = dialBack(components, { disabled: settings.disabled.optimizations })
  const visitOf = (registration: Registration) => visits.learner?.visitOf(registration)
  const first = new Prober({ dial, clock, visitOf, budget: FIRST_PROOFS })
  const next = new Prober({ dial, clock, visitOf, budget: NEXT_PROOFS })
  const point = new RendezvousPoint({
    registry: new Registry({ listing: settings.listing }),
    store,
    rules,
    prover: isVerified ? first : undefined,
    maxProofAge: interval * MAX_AGE_FACTOR,
    clock,
    random,
  })
  const pace = new ProofPace({ cpuShare: settings.proofCpuShare, cost: proofCost, clock })
  const schedule = new ProofSchedule({ point, first, next, pace, interval, intervalOf: byAge, clock, random })
  const onChange = () => snapshots.changed()
  const connects = acceptsConnection
  const legacy = new LegacyPeers({ rules, view: point.view, store, connects, interval, clock, onChange })
  const snapshots = new Snapshots({ store, table: withLegacy(point.operatorList, legacy), clock, log })

  const records = new SignedRecords({ point, rules, random })
  const learner = settings.rendezvous
    ? recordLearner(components, { point, records, clock, schedule: isVerified ? schedule : undefined })
    : undefined
  if (learner !== undefined) {
    visits.learner = learner
  }
  const counters = zeroCounters()
  point.watch({
    changed: snapshots.changed,
    tracked: isVerified ? (registration) => schedule.track(registration) : () => {},
    doubted: (registration) => schedule.doubt(registration),
    registered: (peer, added) => {
      listener.registered(added)
      learner?.onRegistered(peer)
    },
    evicted: (registration) => {
      counters.evicted++
      listener.evicted(registration)
    },
  })

  // One budget for the callers of all protocols.
  const exchanges = new Exchanges({
    limits: new RequestLimits(),
    clock,
    takeShare: takesShare(components, settings.disabled.protections),
    count: (event) => {
      counters[event]++
    },
    onCaller: sourceNatWatch(listener),
  })
  const { registrar, peerId } = components
  const api = new LocalPoint({ point, records, learner, prover: first })
  const siblings = settings.siblings.filter((each) => !samePeer(each.split('/p2p/')[1] ?? '', peerId.toString()))
  const bootstrap = new BootstrapFrontend({ registrar, exchanges, point: api, legacy, siblings, clock, log })
  const rendezvous = settings.rendezvous
    ? rendezvousFrontend(components, { exchanges, point: api, random, clock })
    : undefined
  const { legacyTcp: port } = settings
  const legacyTcp = port === undefined ? undefined : new LegacyTcpFrontend({ port, exchanges, legacy, log })
  const frontends = [bootstrap, rendezvous, legacyTcp].filter((each) => each !== undefined)
  const lag = new ProofLagWatch()
  const proofLag = () => lag.see({ living: point.view.livingCount, listed: point.view.listedCount }, clock())
  return { store, snapshots, point, legacy, schedule, proofLag, frontends, legacyTcp, exchanges, counters }
}

function storeAt({ file, clock, acceptEdit }: ServiceSettings, { edited: onEdit }: ServiceListener): Store {
  return file === undefined ? memoryStore() : fileStore({ path: file, clock, onEdit, acceptEdit })
}

function recordLearner(
  components: BootstrapServiceComponents,
  {
    point,
    records,
    clock,
    schedule,
  }: {
    readonly point: RendezvousPoint
    readonly records: SignedRecords
    readonly clock: Clock
    /** Undefined where addresses are listed without a dial-back. */
    readonly schedule: ProofSchedule | undefined
  },
): RecordLearner {
  // Apart from the budget of callers, so that a crowd of callers cannot use up what registered peers are asked with.
  const registered = new IdentifiedPeers(components, { clock })
  return new RecordLearner({
    view: point.view,
    records,
    clock,
    ask: async (peerId) => recordAnswerOf(await registered.of(peerIdFromString(peerId))),
    askDialled: async (peer) => recordAnswerOf(await registered.ask(peer)),
    prove: async (registration) => {
      await schedule?.proveNow(registration)
    },
  })
}

function rendezvousFrontend(
  components: BootstrapServiceComponents,
  {
    exchanges,
    point,
    random,
    clock,
  }: Pick<ServiceSettings, 'random' | 'clock'> & {
    readonly exchanges: Exchanges
    readonly point: LocalPoint
  },
): RendezvousFrontend {
  const readers = new IdentifiedPeers(components, { clock })
  const forms = new ReaderForms(async ({ remotePeer }) => readerOf(await readers.of(remotePeer)))
  const log = components.logger.forComponent('bootstrap-peer:rendezvous')
  return new RendezvousFrontend({ registrar: components.registrar, exchanges, point, forms, random, log })
}

function sourceNatWatch({ warn }: ServiceListener): (caller: Parameters<SourceNatWatch['see']>[0]) => void {
  const watch = new SourceNatWatch()
  return (caller) => {
    const warning = watch.see(caller)
    if (warning !== undefined) {
      warn(warning)
    }
  }
}
