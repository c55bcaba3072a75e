import { type Caller, callerAt } from '../../src/peer/caller.ts'
import { RendezvousPoint, type RendezvousPointInit } from '../../src/point/rendezvous-point.ts'
import { type Dial, NEXT_PROOFS, Prober, type ProberInit } from '../../src/proofs/prober.ts'
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

/** The parts as the service puts them together, around a dial that the test makes up. */
export function testPoint({
  dial,
  clock,
  seed = 1,
  visitOf = () => undefined,
  ...over
}: Pick<RendezvousPointInit, 'clock'> & { dial: Dial; seed?: number } & Pick<ProberInit, 'visitOf'> &
  Partial<RendezvousPointInit>): TestPoint {
  const registry = new Registry({ listing: 'verified' })
  const random = seededRandom(seed)
  const first = new Prober({ dial, clock, visitOf })
  const next = new Prober({ dial, clock, visitOf, budget: NEXT_PROOFS })
  const point = new RendezvousPoint({
    registry,
    store: { append: async () => {} },
    rules: RULES,
    prover: (registration, signal) => first.prove(registration, signal),
    maxProofAge: MAX_AGE,
    clock,
    random,
    onRegistered: (registration) => schedule.track(registration),
    ...over,
  })
  const schedule = new ProofSchedule({ point, first, next, interval: INTERVAL, clock, random })
  return { point, registry, schedule, first, next }
}

/** A caller at an address of its own, such as `/ip4/8.8.8.8/tcp/4001`. */
export function callerFrom(peerId: string, address: string): Caller {
  return callerAt(peerId, address)!
}
