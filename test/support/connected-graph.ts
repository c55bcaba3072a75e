import { setTimeout as delay } from 'node:timers/promises'
import type { Libp2p } from '@libp2p/interface'

/** A node and the peers that it has a connection to. */
export interface GraphNode {
  readonly id: string
  /** PeerIds. Those that are none of the nodes, such as bootstraps, do not count. */
  readonly peers: Iterable<string>
}

/** How often the graph is looked at, ms. */
const LOOK_MS = 20

/**
 * Waits until nodes are connected: every one has `target` peers among the others, or all of the others where they are
 * fewer, and the graph is one piece. A connection counts once both of its ends have it, whichever of them dialled.
 * Returns how long it took since `began`, in ms. Throws with what is missing when `within` ms have passed since then.
 */
export async function connectedGraph(
  nodes: () => readonly GraphNode[],
  { target, within, began = performance.now() }: { target: number; within: number; began?: number },
): Promise<number> {
  for (;;) {
    const missing = whatIsMissing(nodes(), target)
    const took = performance.now() - began
    if (missing === undefined && took <= within) {
      return took
    }
    if (took > within) {
      throw new Error(`not connected after ${within} ms: ${missing ?? 'it took longer'}`)
    }
    await delay(LOOK_MS)
  }
}

/** Why nodes are not connected, in one line; undefined when they are. See {@link connectedGraph}. */
export function whatIsMissing(nodes: readonly GraphNode[], target: number): string | undefined {
  const edges = edgesOf(nodes)
  const least = Math.min(target, nodes.length - 1)
  const degrees = [...edges.values()].map(({ size }) => size).sort((a, b) => a - b)
  const short = degrees.filter((degree) => degree < least)
  const pieces = piecesOf(edges)
  const faults = []
  if (short.length > 0) {
    faults.push(`${short.length} of ${nodes.length} nodes have fewer than ${least} peers (${short.join(', ')})`)
  }
  if (pieces.length > 1) {
    faults.push(`the graph is in ${pieces.length} pieces (of ${pieces.join(', ')} nodes)`)
  }
  return faults.length === 0 ? undefined : faults.join('; ')
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
