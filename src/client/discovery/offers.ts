// The last answer of each bootstrap, for the choice of peers.

import { type ChosenPeer, choosePeers, type Offer, originsByPeer } from './choose-peers.ts'

/** The last answer of each bootstrap. Synchronous; no I/O. */
export class Offers {
  readonly #byBootstrap = new Map<string, Offer>()
  #inPrivate = false

  /**
   * Whether a bootstrap names peers in a private range or on loopback, as those of a private network do. One on the
   * internet can't: what it says of our private network is not read.
   */
  get inPrivate(): boolean {
    return this.#inPrivate
  }

  take(bootstrap: string, offer: Offer): void {
    this.#byBootstrap.set(bootstrap, offer)
    this.#inPrivate ||= offer.peers.some(({ addresses }) => addresses.some(({ group }) => group === undefined))
  }

  forget(bootstrap: string): void {
    this.#byBootstrap.delete(bootstrap)
  }

  /** The peers to take out of all of them, within the caps. */
  choose(): ChosenPeer[] {
    return choosePeers([...this.#byBootstrap.values()])
  }

  /** Who names each peer. */
  originsByPeer(): Map<string, Set<string>> {
    return originsByPeer([...this.#byBootstrap.values()])
  }

  /** Who names a peer. */
  originsOf(id: string): string[] {
    return [...(this.originsByPeer().get(id) ?? [])]
  }
}
