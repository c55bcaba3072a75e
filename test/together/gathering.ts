import { atLeast, atMost, type Figure, quantile, shown } from '../hostile/report.ts'
import { connectedGraph, type GraphNode, stateOf } from '../support/connected-graph.ts'
import type { Census } from './census.ts'
import type { CountedBootstrap } from './counted-bootstrap.ts'

/** The most that a node may ask one bootstrap in its first minute. */
export const MOST_ASKS = 8
/** A slow machine is given this many times the bound before its nodes count as not connected at all. */
const PATIENCE = 3

export interface GatheringInit {
  readonly name: string
  readonly census: Census
  /** How many nodes there are to be. */
  readonly count: number
  readonly target: number
  /** How long it may take until all are connected, ms. */
  readonly within: number
  /** When the first node was started, by `performance.now()`. */
  readonly began: number
}

/** Waits until nodes are connected, or are not after long; tells how many are, and how long it took. */
export async function gathering({ name, census, count, target, within, began }: GatheringInit): Promise<Figure[]> {
  const patience = within * PATIENCE
  const everyNode = () => [...census.graph, ...absent(count - census.graph.length)]
  const took = await connectedGraph(everyNode, { target, within: patience, began, every: 200 }).catch((err: Error) => {
    console.error(`${name}: ${err.message}`)
    return patience
  })
  const { settled, pieces } = stateOf(everyNode(), target)
  const times = census.times('settledAfter')
  return [
    atLeast(name, `nodes that have ${Math.min(target, count - 1)} peers`, settled, count),
    atMost(name, 'pieces that the graph is in', pieces.length, 1),
    atMost(name, 'until all are connected', took / 1000, within / 1000, 's'),
    shown(name, 'until a node has its peers, median', quantile(times, 0.5) / 1000, 's'),
    shown(name, 'until a node has its peers, 95 %', quantile(times, 0.95) / 1000, 's'),
  ]
}

/** Nodes that have not been started yet are not connected. */
function absent(count: number): GraphNode[] {
  return Array.from({ length: count }, (_, i) => ({ id: `not started ${i}`, peers: [] }))
}

/** How much the bootstraps were asked. */
export async function askedOf(name: string, bootstraps: readonly CountedBootstrap[]): Promise<Figure[]> {
  const counts = await Promise.all(bootstraps.map((bootstrap) => bootstrap.asked()))
  const asks = counts.flatMap((count) => count.asks)
  return [
    atMost(name, 'asks of one bootstrap in a first minute, most', Math.max(...asks), MOST_ASKS),
    shown(name, 'asks of one bootstrap in a first minute, median', quantile(asks, 0.5)),
    shown(name, 'and with registrations, most', Math.max(...counts.flatMap((count) => count.requests))),
  ]
}
