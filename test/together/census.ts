import type { Libp2p } from '@libp2p/interface'
import type { GraphNode } from '../support/connected-graph.ts'

/** A node, and when what was waited for came about, in ms since it was started. */
interface Counted {
  readonly id: string
  readonly startedAt: number
  readonly peers: Set<string>
  answeredAfter?: number
  listedAfter?: number
  /** It had as many peers as it wants for the first time. */
  settledAfter?: number
}

/** What became of the nodes of a crowd, and how long it took each. Times are ms of one clock. */
export class Census {
  readonly #nodes = new Map<string, Counted>()
  readonly #target: number
  #settled = 0
  #lastStart = 0

  constructor(target: number) {
    this.#target = target
  }

  started(id: string, at: number): void {
    this.#nodes.set(id, { id, startedAt: at, peers: new Set() })
    this.#lastStart = Math.max(this.#lastStart, at)
  }

  answered(id: string, at: number): void {
    const node = this.#nodes.get(id)!
    node.answeredAfter ??= at - node.startedAt
  }

  listed(id: string, at: number): void {
    const node = this.#nodes.get(id)!
    node.listedAfter ??= at - node.startedAt
  }

  /** One end has a connection. Bootstraps are nodes of no crowd, and are passed over. */
  connected(id: string, peer: string, at: number): void {
    const node = this.#nodes.get(id)!
    node.peers.add(peer)
    for (const each of [node, this.#nodes.get(peer)]) {
      if (each !== undefined && each.settledAfter === undefined && this.#degree(each) >= this.#target) {
        each.settledAfter = at - each.startedAt
        this.#settled++
      }
    }
  }

  disconnected(id: string, peer: string): void {
    this.#nodes.get(id)!.peers.delete(peer)
  }

  /** Follows a node of this process from now on. */
  watch(node: Libp2p, startedAt: number): void {
    const id = node.peerId.toString()
    this.started(id, startedAt)
    node.addEventListener('peer:connect', ({ detail }) => this.connected(id, detail.toString(), performance.now()))
    node.addEventListener('peer:disconnect', ({ detail }) => this.disconnected(id, detail.toString()))
    for (const peer of node.getPeers()) {
      this.connected(id, peer.toString(), performance.now())
    }
  }

  /** How many have had as many peers as they want. */
  get settled(): number {
    return this.#settled
  }

  get lastStart(): number {
    return this.#lastStart
  }

  get graph(): readonly GraphNode[] {
    return [...this.#nodes.values()]
  }

  /** How long it took each of those that it happened to, ms. */
  times(what: 'answeredAfter' | 'listedAfter' | 'settledAfter'): number[] {
    return [...this.#nodes.values()].flatMap((node) => node[what] ?? [])
  }

  #degree({ id, peers }: Counted): number {
    return peers.values().reduce((count, peer) => count + (this.#nodes.get(peer)?.peers.has(id) ? 1 : 0), 0)
  }
}
