import { TARGET } from '../../src/client/keeper-link.ts'
import { atLeast, atMost, type Figure, quantile, shown } from '../hostile/report.ts'
import { connectedGraph, type GraphNode, stateOf } from '../support/connected-graph.ts'
import type { Census } from './census.ts'
import type { CountedBootstrap } from './counted-bootstrap.ts'

/** The most that a node may ask one bootstrap in its first minute. */
const MOST_ASKS = 8
/** How often the graph is looked at, ms. */
const LOOK_MS = 200

export interface GatheringInit {
  readonly name: string
  readonly census: Census
  /** How many nodes there are to be. */
  readonly count: number
  /** How long it may take from the first start until all are connected, ms; undefined where they are not started at once. */
  readonly all?: number
  /** How long it may take a node from its own start until it has its peers, ms. */
  readonly each?: number
  /** When nodes that are not connected are given up: long after they are late, so that a slow machine is not a failure. */
  readonly patience: number
  /** When the first node was started, by `performance.now()`. */
  readonly began: number
}

/** Waits until nodes are connected, or are not after long; tells how many are, and how long it took. */
export async function gathering({ name, census, count, ...times }: GatheringInit): Promise<Figure[]> {
  const { all, each, patience, began } = times
  const nodes = () => [...census.graph, ...notStarted(count - census.graph.length)]
  const waiting = { target: TARGET, within: patience, began, every: LOOK_MS }
  const took = await connectedGraph(nodes, waiting).catch((err: Error) => {
    console.error(`${name}: ${err.message}`)
    return patience
  })
  const { settled, pieces } = stateOf(nodes(), TARGET)
  const after = census.times('settledAfter')
  const last = after.length === count ? Math.max(...after) : patience
  return [
    atLeast(name, `nodes that have ${Math.min(TARGET, count - 1)} peers`, settled, count),
    atMost(name, 'pieces that the graph is in', pieces.length, 1),
    seconds(name, 'until all are connected', took, all),
    seconds(name, 'until a node has its peers, last', last, each),
    seconds(name, 'until a node has its peers, 95 %', quantile(after, 0.95)),
    seconds(name, 'until a node has its peers, median', quantile(after, 0.5)),
  ]
}

/** Waited for like all others. */
function notStarted(count: number): GraphNode[] {
  return Array.from({ length: count }, (_, i) => ({ id: `not started ${i}`, peers: [] }))
}

/** Times in ms. */
export function seconds(name: string, figure: string, value: number, bound?: number): Figure {
  return bound === undefined
    ? shown(name, figure, value / 1000, 's')
    : atMost(name, figure, value / 1000, bound / 1000, 's')
}

/** How much the bootstraps were asked. */
export async function askedOf(name: string, bootstraps: readonly CountedBootstrap[]): Promise<Figure[]> {
  const counts = await Promise.all(bootstraps.map((bootstrap) => bootstrap.asked()))
  const asks = counts.flatMap((count) => count.asks)
  const requests = counts.flatMap((count) => count.requests)
  return [
    atMost(name, 'asks of one bootstrap in a first minute, most', Math.max(...asks), MOST_ASKS),
    shown(name, 'asks of one bootstrap in a first minute, median', quantile(asks, 0.5)),
    shown(name, 'and with registrations, most', Math.max(...requests)),
  ]
}
