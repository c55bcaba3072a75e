import { networkGroupOf } from '../../src/peer/ip.ts'
import { LocalPoint } from '../../src/point/local-point.ts'
import { SignedRecords } from '../../src/point/signed-records.ts'
import { callerFrom, testPoint } from '../support/points.ts'
import { seededRandom } from '../support/random.ts'
import { RULES } from '../support/rules.ts'
import { NOW } from '../support/tables.ts'
import { MARGIN } from './eclipse.ts'

const HOUR = 3_600_000
const NEVER = new AbortController().signal

export interface FirstPageInit {
  readonly hours: number
  /** How many identities the attacker tries in each of its network groups. It keeps one that came first. */
  readonly identities: number
  /** How many new readers ask for a first page at the end. */
  readonly readers: number
}

export interface FirstPageResult {
  /** The attacker's part of the first pages of {@link PAGE} peers, of their first places, and of the network groups. */
  readonly share: number
  readonly shareOfFirst: number
  readonly fair: number
  /** The most of its peers on one page. */
  readonly most: number
}

/** What a reader asks for. */
export const PAGE = 20
const HONEST_GROUPS = 480
const ATTACKER_GROUPS = 20

/**
 * The first pages of `/rendezvous/1.0.0` in one process: honest peers renew each hour, the attacker registers for the
 * longest time there is, never renews, and in each of its groups tries identities until one is on a first page.
 */
export async function drawFirstPages({ hours, identities, readers }: FirstPageInit): Promise<FirstPageResult> {
  const random = seededRandom(5)
  let now = NOW
  const addresses = new Set<string>()
  const { point, registry } = testPoint({
    clock: () => now,
    // Every one of them answers, at once: rates are no part of this.
    dial: async () => ({ fault: 'dial_refused' }),
    prover: { prove: async () => ({ ok: true }) },
  })
  const records = new SignedRecords({ point, rules: RULES, random })
  const api = new LocalPoint({
    point,
    records,
    learner: undefined,
    prover: { identify: async () => ({ fault: 'dial_refused' }) },
  })
  const reader = callerFrom('reader', '/ip4/9.9.9.9/tcp/50000')

  const register = async (peerId: string, address: string, ttlMs: number) => {
    addresses.add(address)
    const record = { form: 'unsigned', peerId, addresses: [address] } as const
    const outcome = await records.register(callerFrom(peerId, address), { network: 'chain', record, ttlMs }, NEVER)
    if (outcome.status !== 'listed') {
      throw new Error(`${peerId} at ${address} is not listed: ${JSON.stringify(outcome)}`)
    }
  }
  const firstPage = async () => {
    const query = { network: 'chain', form: 'unsigned', from: undefined, limit: PAGE, maxBytes: Infinity } as const
    const page = await api.discoverRecords(reader, query)
    return 'entries' in page ? page.entries.map(({ peerId }) => peerId) : []
  }
  const attack = async () => {
    for (let group = 0; group < ATTACKER_GROUPS; group++) {
      const address = `/ip4/60.${group}.1.1/tcp/4001`
      for (let n = 0; n < identities; n++) {
        const peerId = `attacker ${group} ${n}`
        await register(peerId, address, 259_200_000)
        if ((await firstPage()).includes(peerId) || n === identities - 1) {
          break
        }
        await point.unregister(callerFrom(peerId, address), { network: 'chain', addresses: [] })
      }
    }
  }

  const home = (n: number) => `/ip4/${11 + (n >> 8)}.${n & 255}.1.1/tcp/4001`
  const renewAll = async () => {
    for (let n = 0; n < HONEST_GROUPS; n++) {
      await register(`honest ${n}`, home(n), 7_200_000)
    }
  }
  await renewAll()
  await attack()
  for (let hour = 0; hour < hours; hour++) {
    now += HOUR
    for (const registration of [...registry.all()]) {
      point.recordProof(registration, { ok: true })
    }
    point.tick()
    if (hour % 72 === 71) {
      await attack()
    }
    await renewAll()
  }

  let [planted, first, most] = [0, 0, 0]
  for (let n = 0; n < readers; n++) {
    const page = await firstPage()
    const theirs = page.filter((id) => id.startsWith('attacker')).length
    planted += theirs
    first += page[0]?.startsWith('attacker') ? 1 : 0
    most = Math.max(most, theirs)
  }
  const groups = new Set([...addresses].map((each) => networkGroupOf({ family: 4, text: each.split('/')[2]! })))
  return { share: planted / (readers * PAGE), shareOfFirst: first / readers, fair: ATTACKER_GROUPS / groups.size, most }
}

/** What is wrong with it, in words. */
export function missesOfFirstPages({ share, shareOfFirst, fair, most }: FirstPageResult): string[] {
  return [
    ...(share <= fair + MARGIN ? [] : [`${share} of the first pages are the attacker's, ${fair} of the groups`]),
    ...(shareOfFirst <= fair + MARGIN ? [] : [`${shareOfFirst} of their first places, ${fair} of the groups`]),
    ...(most < PAGE / 2 ? [] : [`a first page with ${most} of ${PAGE} of the attacker's`]),
  ]
}
