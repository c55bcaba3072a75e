import { byAge, type IntervalOf } from '../../src/proofs/proof-interval.ts'
import type { CrowdInit } from './crowd.ts'
import type { LabInit } from './lab.ts'

const HOUR = 3_600_000

/** A /16 for each peer, as the homes of a country. */
const scattered = (n: number) => `/ip4/${20 + (n >> 8)}.${n & 255}.7.9/tcp/4001`
/** Ten peers in each /16. */
const clustered = (n: number) => `/ip4/20.${n % 30}.${n % 250}.${1 + (n >> 5)}/tcp/4001`

/** What the lab plays. The answers hold 250 peers, so that with 300 nobody is in each of them. */
export function scenarios(days: number): LabInit[] {
  const base = { days, seed: 7, peers: 300, shape: 1, settled: false, intervalOf: byAge }
  return [
    { ...base, name: '24 h sessions, a /16 each', meanSession: 24 * HOUR, home: scattered },
    { ...base, name: '24 h sessions, 30 /16s', meanSession: 24 * HOUR, home: clustered },
    { ...base, name: '6 h sessions, a /16 each', meanSession: 6 * HOUR, home: scattered },
    { ...base, name: '1 h sessions, a /16 each', meanSession: HOUR, home: scattered },
  ]
}

/** How much lower the dead share by age has to be than by a fixed interval, for each shape of sessions of 24 h. */
const LEAST_GAIN = [
  [0.4, 0.2],
  [0.5, 0.12],
  [0.6, 0.06],
] as const

/** Two rows with the same sessions: dialed by age, and each 15 minutes. */
export interface Comparison {
  readonly shape: number
  readonly leastGain: number
  readonly byAge: LabInit
  readonly fixed: LabInit
}

/** Sessions as they are in deployed networks: most are short, and most peers that are there are in a long one. */
export function comparisons(days: number): Comparison[] {
  return LEAST_GAIN.map(([shape, leastGain]) => {
    const row = (intervalOf: IntervalOf, how: string): LabInit => ({
      name: `24 h sessions of shape ${shape}, ${how}`,
      days,
      seed: 7,
      peers: 400,
      meanSession: 24 * HOUR,
      shape,
      settled: true,
      intervalOf,
      home: scattered,
    })
    return { shape, leastGain, byAge: row(byAge, 'by age'), fixed: row(() => 1, 'each 15 min') }
  })
}

/** A table half as large again as the proofs can keep up with: 200,000 in 20 minutes, at 1.5 ms each. */
export const CROWD: CrowdInit = { name: '300,000 living, proofs for 200,000', size: 300_000, cpuShare: 0.25, hours: 2 }
