import { setTimeout as delay } from 'node:timers/promises'
import type { Libp2p } from '@libp2p/interface'

/** A node and the peers that it has a connection to. */
export interface GraphNode {
  readonly id: string
  /** PeerIds. Those that are none of the nodes, such as bootstraps, do not count. */
  readonly peers: Iterable<string>
}

/** How far nodes are from being connected. */
export interface GraphState {
  /** How many nodes have all the peers that they should have. */
  readonly settled: number
  /** How many peers the others have, the fewest first. */
  readonly short: readonly number[]
  /** How many nodes each piece of the graph has, the largest first. */
  readonly pieces: readonly number[]
}

export interface Waiting {
  /** How many peers each node should have; all of the others where they are fewer. */
  readonly target: number
  /** How long it may take, ms. */
  readonly within: number
  /** When the time began to run, by the clock. Default: now. */
  readonly began?: number
  /** ms. Default: `performance.now`. */
  readonly clock?: () => number
  /** How often to look, ms. Default 20; a look at a thousand nodes takes 5. */
  readonly every?: number
}

/**
 * Waits until nodes are connected: each has `target` peers among the others and the graph is one piece. A connection
 * counts once both of its ends have it, whichever of them dialled. Returns how long it took, in ms. Throws with what is
 * missing when the time is over.
 */
export async function connectedGraph(
  nodes: () => readonly GraphNode[],
  { target, within, clock = () => performance.now(), began = clock(), every = 20 }: Waiting,
): Promise<number> {
  for (;;) {
    const missing = whatIsMissing(nodes(), target)
    const took = clock() - began
    if (missing === undefined && took <= within) {
      return took
    }
    if (took > within) {
      throw new Error(`not connected after ${within} ms: ${missing ?? 'it took longer'}`)
    }
    await delay(every)
  }
}

/** Why nodes are not connected, in one line; undefined when they are. See {@link connectedGraph}. */
export function whatIsMissing(nodes: readonly GraphNode[], target: number): string | undefined {
  const { short, pieces } = stateOf(nodes, target)
  const faults = []
  if (short.length > 0) {
    const least = Math.min(target, nodes.length - 1)
    faults.push(`${short.length} of ${nodes.length} nodes have fewer than ${least} peers (${tally(short)})`)
  }
  if (pieces.length > 1) {
    faults.push(`the graph is in ${pieces.length} pieces (of ${tally(pieces)} nodes)`)
  }
  return faults.length === 0 ? undefined : faults.join('; ')
}

/** Equal numbers together: "0, 3 × 1, 4". */
function tally(sorted: readonly number[]): string {
  return [...Map.groupBy(sorted, (each) => each)]
    .map(([value, { length }]) => (length === 1 ? `${value}` : `${length} × ${value}`))
    .join(', ')
}

export function stateOf(nodes: readonly GraphNode[], target: number): GraphState {
  const edges = edgesOf(nodes)
  const least = Math.min(target, nodes.length - 1)
  const short = [...edges.values()].flatMap(({ size }) => (size < least ? size : [])).sort((a, b) => a - b)
  return { settled: nodes.length - short.length, short, pieces: piecesOf(edges) }
}

/** Libp2p nodes as they are connected now. */
export function graphOf(nodes: readonly Pick<Libp2p, 'peerId' | 'getPeers'>[]): GraphNode[] {
  return nodes.map((node) => ({ id: node.peerId.toString(), peers: node.getPeers().map(String) }))
}

/** For each node the others that it is connected to and that are connected to it. */
function edgesOf(nodes: readonly GraphNode[]): Map<string, Set<string>> {
  const said = new Map(nodes.map(({ id, peers }) => [id, new Set(peers)]))
  return new Map(
    said
      .entries()
      .map(([id, peers]) => [id, new Set(peers.values().filter((other) => other !== id && said.get(other)?.has(id)))]),
  )
}

/** How many nodes each piece has, the largest first. */
function piecesOf(edges: ReadonlyMap<string, ReadonlySet<string>>): number[] {
  const left = new Set(edges.keys())
  const sizes: number[] = []
  for (const first of left) {
    const reached = [first]
    left.delete(first)
    for (const id of reached) {
      for (const other of edges.get(id)!) {
        if (left.delete(other)) {
          reached.push(other)
        }
      }
    }
    sizes.push(reached.length)
  }
  return sizes.sort((a, b) => b - a)
}
