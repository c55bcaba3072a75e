import type { Clock } from '../../src/base/clock.ts'
import { type Caller, callerAt } from '../../src/peer/caller.ts'
import type { PointWatcher } from '../../src/point/point-watcher.ts'
import { RendezvousPoint, type RendezvousPointInit } from '../../src/point/rendezvous-point.ts'
import type { Dial } from '../../src/proofs/dial.ts'
import { FIRST_PROOFS, NEXT_PROOFS, Prober, type ProberInit } from '../../src/proofs/prober.ts'
import { PROOF_CPU_MS } from '../../src/proofs/proof-cost.ts'
import { byAge, type IntervalOf } from '../../src/proofs/proof-interval.ts'
import { ProofPace } from '../../src/proofs/proof-pace.ts'
import { MAX_AGE_FACTOR, ProofSchedule } from '../../src/proofs/proof-schedule.ts'
import { Registry } from '../../src/registry/registry.ts'
import { seededRandom } from './random.ts'
import { RULES } from './rules.ts'

export const INTERVAL = 15 * 60_000
export const MAX_AGE = INTERVAL * MAX_AGE_FACTOR

export interface TestPoint {
  readonly point: RendezvousPoint
  readonly registry: Registry
  readonly schedule: ProofSchedule
  readonly first: Prober
  readonly next: Prober
}

export interface TestPointInit extends Partial<RendezvousPointInit>, Partial<Pick<ProberInit, 'visitOf'>> {
  readonly dial: Dial
  readonly clock: Clock
  readonly seed?: number
  /** Of a core, for proofs of what has answered before. Default: half of one. */
  readonly cpuShare?: number
  /** Default: by age. */
  readonly intervalOf?: IntervalOf
  /** Default: the schedule tracks what the point says. */
  readonly watcher?: Partial<PointWatcher>
}

/** The parts as the service puts them together, around a dial that the test makes up. */
export function testPoint({
  dial,
  clock,
  seed = 1,
  visitOf = () => undefined,
  watcher = {},
  cpuShare = 0.5,
  intervalOf = byAge,
  ...over
}: TestPointInit): TestPoint {
  const registry = new Registry({ listing: 'verified' })
  const random = seededRandom(seed)
  const first = new Prober({ dial, clock, visitOf, budget: FIRST_PROOFS })
  const next = new Prober({ dial, clock, visitOf, budget: NEXT_PROOFS })
  const point = new RendezvousPoint({
    registry,
    store: { append: async () => {} },
    rules: RULES,
    prover: first,
    maxProofAge: MAX_AGE,
    clock,
    random,
    ...over,
  })
  const pace = new ProofPace({ cpuShare, cost: () => PROOF_CPU_MS, clock })
  const schedule = new ProofSchedule({ point, first, next, pace, interval: INTERVAL, intervalOf, clock, random })
  point.watch({
    changed() {},
    tracked: (registration) => schedule.track(registration),
    doubted: (registration) => schedule.doubt(registration),
    registered() {},
    evicted() {},
    ...watcher,
  })
  return { point, registry, schedule, first, next }
}

/** A caller at an address of its own, such as `/ip4/8.8.8.8/tcp/4001`. */
export function callerFrom(peerId: string, address: string): Caller {
  return callerAt(peerId, address)!
}
