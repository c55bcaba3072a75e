import type { LabInit } from './lab.ts'

const HOUR = 3_600_000

/** A /16 for each peer, as the homes of a country. */
const scattered = (n: number) => `/ip4/${20 + (n >> 8)}.${n & 255}.7.9/tcp/4001`
/** Ten peers in each /16. */
const clustered = (n: number) => `/ip4/20.${n % 30}.${n % 250}.${1 + (n >> 5)}/tcp/4001`

/** What the lab plays. The answers hold 250 peers, so that with 300 nobody is in each of them. */
export function scenarios(days: number): LabInit[] {
  const base = { days, seed: 7, peers: 300 }
  return [
    { ...base, name: '24 h sessions, a /16 each', meanSession: 24 * HOUR, home: scattered },
    { ...base, name: '24 h sessions, 30 /16s', meanSession: 24 * HOUR, home: clustered },
    { ...base, name: '6 h sessions, a /16 each', meanSession: 6 * HOUR, home: scattered },
    { ...base, name: '1 h sessions, a /16 each', meanSession: HOUR, home: scattered },
  ]
}
