import { NotFoundError, type PeerId, type PeerStore } from '@libp2p/interface'

/**
 * Skips the protocol entry that libp2p stores for every peer that opens a stream.
 *
 * Patches libp2p 3.3.11 with its @libp2p/peer-store. A node that only answers does not read the entry, and it is written,
 * read twice when the peer leaves, and deleted later, each time behind a lock: 8 % of a join, and the only thing that makes
 * the store grow. A peer that is not in the store is not looked up either. What identify learns is kept.
 *
 * Upstream: no report found. It can go when `test/host/patches/light-peer-store.test.ts` "is where that costs memory without it"
 * fails.
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

/** Made once: it is thrown for every peer that leaves, and its stack is not read. */
const NOT_FOUND = new NotFoundError()

function saysProtocolOnly(data: object): boolean {
  return Object.keys(data).every((key) => key === 'protocols')
}
