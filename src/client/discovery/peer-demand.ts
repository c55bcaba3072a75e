// Whether the node has the peers that it wants.

import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Clock } from '../../base/clock.ts'
import { filledPlaces } from '../filled-places.ts'

/** A node that has been named no new peer for this long has met its network, ms: two or three early asks. */
export const QUIET_MS = 10_000

export interface PeerDemandInit {
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  /** How many peers the node wants. */
  readonly target: () => number
  /** The peers that the bootstraps name now, by PeerId, and the origins that name each. */
  readonly named: () => ReadonlyMap<string, ReadonlySet<string>>
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

  /** Whether the connected peers fill fewer places than the target; see {@link filledPlaces}. */
  get isShort(): boolean {
    return this.#filled(this.#connected(), this.#init.named()) < this.#init.target()
  }

  /**
   * Whether asking again is of use: the connected peers fill fewer places than the target, and a named one is missing, or new ones
   * were named a short time ago, or there is none at all.
   */
  get wantsMore(): boolean {
    const { target, named, now } = this.#init
    const connected = this.#connected()
    const all = named()
    if (this.#filled(connected, all) >= target()) {
      return false
    }
    const hasAll = connected.size > 0 && all.keys().every((id) => connected.has(id))
    return !hasAll || now() - this.#newPeerAt < QUIET_MS
  }

  #filled(connected: ReadonlySet<string>, named: ReadonlyMap<string, ReadonlySet<string>>): number {
    const origins = new Set([...named.values()].flatMap((each) => [...each]))
    const soleOrigins = connected.values().map((id) => {
      const [only, ...others] = named.get(id) ?? []
      return others.length === 0 ? only : undefined
    })
    return filledPlaces(soleOrigins, this.#init.target(), origins.size > 1)
  }

  #connected(): Set<string> {
    const { connectionManager, counts } = this.#init
    const ids = connectionManager.getConnections().map(({ remotePeer }) => remotePeer.toString())
    return new Set(ids.filter(counts))
  }
}
