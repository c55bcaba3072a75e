import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Clock } from '../../base/clock.ts'

/** A node that has been named no new peer for this long has met its network, ms: two or three early asks. */
export const QUIET_MS = 10_000

export interface PeerDemandInit {
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  /** How many peers the node wants. */
  readonly target: () => number
  /** PeerIds that the bootstraps name now. */
  readonly named: () => ReadonlySet<string>
  /** Whether a connected peer counts: one that was announced, and is no bootstrap. */
  readonly counts: (id: string) => boolean
  readonly now: Clock
}

/** Whether a node has the peers that it wants, judged by its connections in either direction. */
export class PeerDemand {
  readonly #init: PeerDemandInit
  #newPeerAt = Number.NEGATIVE_INFINITY

  constructor(init: PeerDemandInit) {
    this.#init = init
  }

  /** A bootstrap has named a peer for the first time. */
  newPeer(): void {
    this.#newPeerAt = this.#init.now()
  }

  /** Whether fewer peers are connected than the target. */
  get isShort(): boolean {
    return this.#connected().size < this.#init.target()
  }

  /**
   * Whether asking again is of use: fewer peers are connected than the target, and a named one is missing, or new ones
   * were named a short time ago, or there is none at all.
   */
  get wantsMore(): boolean {
    const { target, named, now } = this.#init
    const connected = this.#connected()
    if (connected.size >= target()) {
      return false
    }
    const hasAll =
      connected.size > 0 &&
      named()
        .values()
        .every((id) => connected.has(id))
    return !hasAll || now() - this.#newPeerAt < QUIET_MS
  }

  #connected(): Set<string> {
    const { connectionManager, counts } = this.#init
    const ids = connectionManager.getConnections().map(({ remotePeer }) => remotePeer.toString())
    return new Set(ids.filter(counts))
  }
}
