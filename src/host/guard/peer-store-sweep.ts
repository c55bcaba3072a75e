// Deletes peers that left from libp2p's peer store, which would grow otherwise.

import type { PeerId, PeerStore } from '@libp2p/interface'

/**
 * How long after it left a peer is forgotten, ms. What libp2p still writes about it by then (identify: 5 s) goes too.
 */
export const FORGET_AFTER_MS = 6000

/** The part of the node that is used. */
export interface PeerStoreSweepComponents {
  readonly peerStore: Pick<PeerStore, 'get' | 'delete'>
  /** Whether there is a connection to the peer. */
  readonly isConnected: (peerId: PeerId) => boolean
}

/**
 * Forgets peers that left. libp2p remembers every peer that ever connected: 2.4 KB each, or up to 80 KB where the peer
 * abuses identify for it, and checks their age only when all of them are listed. A bootstrap has its own list and does not
 * read libp2p's. A peer with a tag is not forgotten: only the node itself sets tags, on peers that a service of it wants.
 */
export class PeerStoreSweep {
  readonly #components: PeerStoreSweepComponents
  /** In the order in which they left. */
  readonly #gone = new Map<string, { readonly peerId: PeerId; readonly at: number }>()

  constructor(components: PeerStoreSweepComponents) {
    this.#components = components
  }

  get size(): number {
    return this.#gone.size
  }

  /** A peer's last connection closed. */
  left(peerId: PeerId, now: number): void {
    const key = peerId.toString()
    this.#gone.delete(key)
    this.#gone.set(key, { peerId, at: now })
  }

  /** Forgets the peers that left long enough ago. */
  async sweep(now: number): Promise<void> {
    const deletions: Array<Promise<void>> = []
    for (const [key, { peerId, at }] of this.#gone) {
      if (now - at < FORGET_AFTER_MS) {
        break
      }
      this.#gone.delete(key)
      if (!this.#components.isConnected(peerId)) {
        deletions.push(this.#forget(peerId))
      }
    }
    await Promise.all(deletions)
  }

  async #forget(peerId: PeerId): Promise<void> {
    const { peerStore } = this.#components
    // Rejects with NotFoundError when nothing is known of the peer.
    const known = await peerStore.get(peerId).catch(() => undefined)
    if (known !== undefined && known.tags.size === 0) {
      await peerStore.delete(peerId)
    }
  }
}
