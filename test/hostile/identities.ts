import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { callerAt } from '../../src/peer/caller.ts'
import { RendezvousPoint } from '../../src/point/rendezvous-point.ts'
import { PUBLIC_LIMITS } from '../../src/policy/room.ts'
import { Registry } from '../../src/registry/registry.ts'
import { seededRandom } from '../support/random.ts'
import { RULES } from '../support/rules.ts'
import { atMost, type Figure } from './report.ts'

const IDENTITIES = 100_000
const HONEST = 500
const NETWORK = 'mainnet'
const NEVER = new AbortController().signal

/** Where they come from, the address of the i-th of them, and how many of them may be stored. */
const SOURCES = [
  ['one IP', () => '/ip4/45.1.2.3', PUBLIC_LIMITS.ip],
  ['one /24', (i: number) => `/ip4/45.1.2.${i % 256}`, PUBLIC_LIMITS['ip4/24']],
  ['one /16', (i: number) => `/ip4/45.1.${(i >> 8) % 256}.${i % 256}`, PUBLIC_LIMITS['ip4/16']],
  ['one IPv6 /48', (i: number) => `/ip6/2a00:1450:4001:${(i % 65_536).toString(16)}::1`, PUBLIC_LIMITS['ip6/48']],
] as const

/**
 * 100,000 identities that all answer at their addresses, from one network each time. At the policy's level: the numbers
 * are of public networks, and there are none to be had here.
 */
export async function identities(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [source, addressOf, limit] of SOURCES) {
    const { point, registry } = rendezvousPoint()
    for (let i = 0; i < HONEST; i++) {
      await register(point, `honest-${i}`, `/ip4/80.${i % 250}.${i >> 4}.7`, 4001)
    }
    const [honest, before] = [registry.size, heapUsed()]
    for (let i = 0; i < IDENTITIES; i++) {
      await register(point, `sybil-${i}`, addressOf(i), 1024 + (i % 60_000))
    }
    const grown = heapUsed() - before
    const kept = [...registry.all()].filter(({ peer }) => peer.id.startsWith('honest')).length
    const asker = callerAt('asker', '/ip4/99.9.9.9/tcp/1')!
    let listed = 0
    let sybils = 0
    for (let i = 0; i < 200; i++) {
      for (const { id } of point.listing.for(asker).peers({ network: NETWORK, limit: 250 })) {
        listed++
        sybils += id.startsWith('sybil') ? 1 : 0
      }
    }
    const stored = registry.size - kept
    const share = stored / registry.size
    figures.push(
      atMost('identities', `stored, ${IDENTITIES} of ${source}`, stored, limit),
      atMost('identities', `their part of 200 answers, ${source}`, (100 * sybils) / listed, 100 * share + 1, '%'),
      atMost('identities', `honest entries lost, ${source}`, honest - kept, 0),
      atMost('identities', `memory, ${source}`, grown / 2 ** 20, 20, 'MB'),
    )
  }
  return figures
}

function rendezvousPoint() {
  const registry = new Registry({ listing: 'verified' })
  const clock = () => 1_795_000_000_000
  const point = new RendezvousPoint({
    registry,
    store: { append: async () => {} },
    rules: RULES,
    prover: { prove: async () => ({ ok: true }) },
    maxProofAge: 20 * 60_000,
    clock,
    random: seededRandom(1),
  })
  return { point, registry }
}

async function register(point: RendezvousPoint, peerId: string, ip: string, port: number): Promise<void> {
  const caller = callerAt(peerId, `${ip}/tcp/50000`)!
  await point.register(
    caller,
    { network: NETWORK, addresses: [`${caller.observed.replace(/\d+$/, '')}${port}`], ttlMs: 7_200_000 },
    NEVER,
  )
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
