import type { Exchange } from './honest-peer.ts'
import { atLeast, atMost, type Figure, quantile } from './report.ts'

/** How long an honest peer may wait at the most beside requests that are only hostile, ms. */
const ANSWERED_MS = 2000

/** How honest peers fared: nearly all served, and soon. */
export function servedWell(attack: string, exchanges: readonly Exchange[], ms: number): Figure[] {
  const served = exchanges.filter(({ fault }) => fault === undefined)
  const times = exchanges.map((exchange) => exchange.ms)
  return [
    atLeast(attack, 'honest exchanges', exchanges.length, 20),
    atLeast(attack, 'honest exchanges answered', (100 * served.length) / exchanges.length, 99, '%'),
    atMost(attack, 'honest exchange, p99', quantile(times, 0.99), ms, 'ms'),
  ]
}

/** The same where nothing is overloaded: all of them are answered, in time. */
export function servedAll(attack: string, exchanges: readonly Exchange[]): Figure[] {
  const slowest = Math.max(...exchanges.map(({ ms }) => ms))
  return [
    atLeast(attack, 'honest exchanges', exchanges.length, 20),
    atMost(attack, 'honest exchanges not answered', exchanges.filter(({ fault }) => fault).length, 0),
    atMost(attack, 'honest exchange, slowest', slowest, ANSWERED_MS, 'ms'),
  ]
}
