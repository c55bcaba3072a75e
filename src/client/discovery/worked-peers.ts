// Records in the cache the peers that a connection has shown to work.

import type { Connection, IdentifyResult, Libp2pEvents, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import type { PeerCache } from '../cache/peer-cache.ts'
import { readDialable } from '../offered-peers.ts'
import type { ChosenPeer } from './choose-peers.ts'
import { addressesOfInbound } from './inbound-peers.ts'

export interface WorkedPeersInit {
  readonly cache: Pick<PeerCache, 'connected' | 'dialled' | 'named'>
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  /** The addresses that a peer was announced with; undefined when it was not. */
  readonly announced: (id: string) => readonly string[] | undefined
  /** Whether a peer is a bootstrap, which the cache keeps apart. */
  readonly isBootstrap: (id: string) => boolean
}

/** Remembers in the cache each peer that a connection has shown to work, at the address that it showed. */
export class WorkedPeers {
  readonly #init: WorkedPeersInit

  constructor(init: WorkedPeersInit) {
    this.#init = init
  }

  start(): void {
    this.#init.events.addEventListener('connection:open', this.#onConnection)
    this.#init.events.addEventListener('peer:identify', this.#onIdentify)
  }

  stop(): void {
    this.#init.events.removeEventListener('connection:open', this.#onConnection)
    this.#init.events.removeEventListener('peer:identify', this.#onIdentify)
  }

  /** A bootstrap names a peer. It may have been connected before, as one that found this node first. */
  named({ id, addresses }: ChosenPeer): void {
    if (this.#init.connectionManager.getConnections(peerIdFromString(id)).length > 0) {
      this.#init.cache.named(id, addresses)
    }
  }

  /** An announced peer works: at the address that was dialled, or, when it dialled, at one of the announced addresses. */
  readonly #onConnection = ({ detail: { remotePeer, remoteAddr, direction } }: CustomEvent<Connection>): void => {
    const { cache, announced, isBootstrap } = this.#init
    const id = remotePeer.toString()
    const addresses = announced(id)
    if (addresses !== undefined && !isBootstrap(id)) {
      const dialled = direction === 'outbound' ? readDialable(remoteAddr.toString()) : undefined
      if (dialled === undefined) {
        cache.named(id, addresses)
      } else {
        cache.dialled(id, dialled.address.text)
      }
    }
  }

  /** A peer that connected to this node is remembered before any bootstrap has named it. */
  readonly #onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void => {
    const id = detail.peerId.toString()
    if (detail.connection.direction === 'inbound' && !this.#init.isBootstrap(id)) {
      this.#init.cache.connected(
        id,
        addressesOfInbound(detail).map(({ text }) => text),
      )
    }
  }
}
