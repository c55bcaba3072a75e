import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Peer, PeerId, PeerStore } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { FORGET_AFTER_MS, PeerStoreSweep } from '../../../src/host/guard/peer-store-sweep.ts'
import { type GuardedNode, guardedNode, targetOf } from '../../support/guarded-node.ts'
import { ask, startPeer } from '../../support/peers.ts'
import { until } from '../../support/wait.ts'

const peerId = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

describe('a peer that left', () => {
  it('is forgotten a while later, unless it is back', async () => {
    const forgotten: PeerId[] = []
    const [alice, bob] = [await peerId(), await peerId()]
    const sweep = new PeerStoreSweep({
      peerStore: storeOf(forgotten),
      isConnected: (id) => id.equals(bob),
    })
    sweep.left(alice, 0)
    sweep.left(bob, 1)
    await sweep.sweep(FORGET_AFTER_MS - 1)
    assert.deepEqual(forgotten, [])
    await sweep.sweep(FORGET_AFTER_MS + 1)
    assert.deepEqual(forgotten, [alice])
    assert.equal(sweep.size, 0)
  })

  it('is forgotten once, after the last time it left', async () => {
    const forgotten: PeerId[] = []
    const alice = await peerId()
    const sweep = new PeerStoreSweep({
      peerStore: storeOf(forgotten),
      isConnected: () => false,
    })
    sweep.left(alice, 0)
    sweep.left(alice, 1000)
    await sweep.sweep(FORGET_AFTER_MS)
    assert.deepEqual(forgotten, [])
    await sweep.sweep(FORGET_AFTER_MS + 1000)
    assert.equal(forgotten.length, 1)
  })

  it('is kept when a service of the node has tagged it', async () => {
    const forgotten: PeerId[] = []
    const [tagged, other] = [await peerId(), await peerId()]
    const sweep = new PeerStoreSweep({ peerStore: storeOf(forgotten, tagged), isConnected: () => false })
    sweep.left(tagged, 0)
    sweep.left(other, 0)
    await sweep.sweep(FORGET_AFTER_MS)
    assert.deepEqual(forgotten, [other])
  })

  // What it is about is the datastore: peerStore.all() itself throws away what is old.
  it('leaves nothing in the datastore', async (t) => {
    const node = await guardedNode(t, { disable: { optimizations: ['lightPeerStore'] } })
    for (let i = 0; i < 3; i++) {
      const peer = await startPeer()
      await ask(peer, targetOf(node), {})
      await peer.stop()
    }
    assert.equal(await keys(node), 4)
    await until(async () => (await keys(node)) === 1, 'only its own record is left')
  })
})

/** A peer store that knows every peer, and has a tag for one. */
function storeOf(forgotten: PeerId[], tagged?: PeerId): Pick<PeerStore, 'get' | 'delete'> {
  return {
    get: async (id) => ({ tags: new Map(tagged?.equals(id) ? [['keep-alive', { value: 1 }]] : []) }) as unknown as Peer,
    delete: async (id) => void forgotten.push(id),
  }
}

async function keys(node: GuardedNode): Promise<number> {
  const { datastore } = (
    node as unknown as { components: { datastore: { queryKeys(query: object): AsyncIterable<unknown> } } }
  ).components
  let count = 0
  for await (const _ of datastore.queryKeys({})) {
    count++
  }
  return count
}
