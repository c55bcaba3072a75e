import type { RegistrationRecord } from '../../src/registry/registration.ts'
import { testPoint } from '../support/points.ts'
import { NOW } from '../support/tables.ts'
import { virtualTime } from '../support/virtual-time.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const TICK = 250

export interface CrowdInit {
  readonly name: string
  /** Registrations, all alive, none of them proved of late when it begins. */
  readonly size: number
  /** Of a core, for proofs. */
  readonly cpuShare: number
  /** How long the shares are measured, after the first hour. */
  readonly hours: number
}

export interface CrowdResult {
  readonly name: string
  readonly size: number
  /** When the last of them was eligible for answers, ms after the start. */
  readonly allListedAfter: number
  /** The least and the largest part of the time that one of them was eligible, after the first hour. */
  readonly least: number
  readonly most: number
  /** What the status said, on average: the listed of the living. */
  readonly status: number
  /** The oldest proof of what was eligible, ms. */
  readonly oldest: number
}

/** How long it takes an address to answer, ms. */
const ANSWER = 80

/** A table with more living registrations than can be proved in 20 minutes, after a restart that found all proofs too old. */
export async function runCrowd({ name, size, cpuShare, hours }: CrowdInit): Promise<CrowdResult> {
  const time = virtualTime(NOW)
  const parts = testPoint({
    clock: time.now,
    cpuShare,
    async dial(address) {
      await time.wait(ANSWER)
      return { peerId: `peer at ${address}` }
    },
  })
  const { point, registry, schedule } = parts
  const records = Array.from({ length: size }, (_, n): RegistrationRecord => {
    const address = `/ip4/${20 + (n >> 14)}.${(n >> 6) & 255}.${n & 63}.7/tcp/4001`
    const times = { registeredAt: NOW - 24 * HOUR, expiresAt: NOW + 72 * HOUR, provedAt: NOW - HOUR }
    return { network: '', peerId: `peer at ${address}`, address, ...times }
  })
  point.operatorList.restore({ records, statics: [], trusted: true, warnings: [] })
  const all = [...registry.all()]
  const held = new Uint16Array(size)
  let [allListedAfter, samples, status, oldest] = [Number.POSITIVE_INFINITY, 0, 0, 0]
  const end = NOW + (1 + hours) * HOUR
  for (let next = NOW + TICK; next <= end; next += TICK) {
    await time.advanceTo(next)
    point.tick()
    schedule.tick()
    if ((next - NOW) % MINUTE === 0) {
      sample(next)
    }
  }
  schedule.stop()
  const shares = Array.from(held, (count) => count / samples)
  return {
    name,
    size,
    allListedAfter,
    least: shares.reduce((a, b) => Math.min(a, b)),
    most: shares.reduce((a, b) => Math.max(a, b)),
    status: status / samples,
    oldest,
  }

  function sample(now: number): void {
    if (allListedAfter === Number.POSITIVE_INFINITY && all.every(({ provedAt }) => provedAt >= NOW)) {
      allListedAfter = now - NOW
    }
    if (now - NOW <= HOUR) {
      return
    }
    samples++
    status += registry.listedCount / registry.livingCount
    for (const [n, each] of all.entries()) {
      if (point.listing.holds(each)) {
        held[n]!++
        oldest = Math.max(oldest, now - each.provedAt)
      }
    }
  }
}
