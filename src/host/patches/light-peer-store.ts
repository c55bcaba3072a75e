import { NotFoundError, type PeerId, type PeerStore } from '@libp2p/interface'

/**
 * Has a peer store pass over what libp2p (3.3.11) writes of everybody who opens a stream: that the peer speaks the
 * stream's protocol. Nobody reads it on a node that dials nobody, and it is written, read twice when the peer leaves,
 * and deleted later, each time behind a lock: 8 % of a join, and all that makes the store grow. Who is not in it is not
 * looked up either. What identify learns is kept.
 */
export function lightenPeerStore(peerStore: PeerStore, self: PeerId): void {
  const kept = new Set([self.toString()])
  const { delete: remove, get, merge, patch, save } = peerStore
  const keeping = (write: PeerStore['save']): PeerStore['save'] => {
    return async (peerId, data, options) => {
      kept.add(peerId.toString())
      return await write.call(peerStore, peerId, data, options)
    }
  }
  Object.assign(peerStore, {
    save: keeping(save),
    patch: keeping(patch),
    merge: async (peerId, data, options) => {
      const key = peerId.toString()
      if (!kept.has(key) && saysProtocolOnly(data)) {
        return { id: peerId, addresses: [], protocols: data.protocols ?? [], metadata: new Map(), tags: new Map() }
      }
      kept.add(key)
      return await merge.call(peerStore, peerId, data, options)
    },
    get: async (peerId, options) => {
      if (!kept.has(peerId.toString())) {
        throw NOT_FOUND
      }
      return await get.call(peerStore, peerId, options)
    },
    delete: async (peerId, options) => {
      if (kept.delete(peerId.toString())) {
        await remove.call(peerStore, peerId, options)
      }
    },
  } satisfies Partial<PeerStore>)
}

/** Made once: it is what becomes of everybody who leaves, and nobody reads its stack. */
const NOT_FOUND = new NotFoundError()

function saysProtocolOnly(data: object): boolean {
  return Object.keys(data).every((key) => key === 'protocols')
}
