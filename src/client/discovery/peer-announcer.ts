// Announces peers to libp2p: a `peer` event, and tags in the peer store.

import type { Logger, PeerInfo, PeerStore } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { RecentMap } from '../../base/recent-map.ts'
import { sourceTags } from '../source-tags.ts'
import type { ChosenPeer } from './choose-peers.ts'

/** The most peers that are remembered as announced; the last half of them at least, many times what a refresh announces. */
const MAX_ANNOUNCED = 10_000
/** A tag outlives this many refreshes that do not name its peer. */
const TAG_REFRESHES = 12

export interface PeerAnnouncerInit {
  readonly peerStore: PeerStore
  readonly onPeer: (peer: PeerInfo) => void
  /** How often a peer is named, ms. */
  readonly refreshInterval: number
  readonly log: Logger
}

/** Announces peers to libp2p: an event for each, and tags in the peer store of the origins that named it. */
export class PeerAnnouncer {
  readonly #init: PeerAnnouncerInit
  readonly #announced = new RecentMap<string, readonly string[]>(MAX_ANNOUNCED)

  constructor(init: PeerAnnouncerInit) {
    this.#init = init
  }

  /** The addresses that a peer was announced with; undefined when it was not announced. */
  addressesOf(id: string): readonly string[] | undefined {
    return this.#announced.get(id)
  }

  announce({ id: text, addresses, origins }: ChosenPeer): void {
    const { peerStore, onPeer, refreshInterval, log } = this.#init
    this.#announced.set(text, addresses)
    const id = peerIdFromString(text)
    const multiaddrs = addresses.map((address) => multiaddr(address))
    // The event is first: a newcomer's first dial should not wait for a data store.
    onPeer({ id, multiaddrs })
    peerStore
      .merge(id, { multiaddrs, tags: sourceTags(origins, refreshInterval * TAG_REFRESHES) })
      .catch((err) => log.error('could not tag the peer %s - %e', text, err))
  }
}
