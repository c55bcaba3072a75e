import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { identify, identifyPush } from '@libp2p/identify'
import { guardedNode, targetOf } from '../../support/guarded-node.ts'
import { ask, startPeer } from '../../support/peers.ts'
import { until } from '../../support/wait.ts'

describe('a light peer store', () => {
  it('knows nothing of a peer that only opened a stream', async (t) => {
    const node = await guardedNode(t)
    const peer = await caller(t)
    await ask(peer, targetOf(node), {})
    await assert.rejects(node.peerStore.get(peer.peerId), { name: 'NotFoundError' })
    assert.equal(node.getConnections(peer.peerId).length, 1)
  })

  it('is where that costs memory without it', async (t) => {
    const node = await guardedNode(t, { unlevered: ['lightPeerStore'] })
    const peer = await caller(t)
    await ask(peer, targetOf(node), {})
    assert.deepEqual((await node.peerStore.get(peer.peerId)).protocols, ['/bootstrap/1.0.0'])
  })

  it('keeps what identify learns, until it is deleted', async (t) => {
    const node = await guardedNode(t)
    const peer = await caller(t, { identify: identify(), push: identifyPush() })
    await ask(peer, targetOf(node), {})
    await node.services.identify.identify(node.getConnections(peer.peerId)[0]!)
    const { metadata, protocols } = await node.peerStore.get(peer.peerId)
    assert.match(Buffer.from(metadata.get('AgentVersion')!).toString(), /js-libp2p/)
    assert.ok(protocols.includes('/ipfs/id/1.0.0'))

    await ask(peer, targetOf(node), {})
    await node.peerStore.merge(peer.peerId, { protocols: ['/one/more'] })
    assert.ok((await node.peerStore.get(peer.peerId)).protocols.includes('/one/more'))
    await node.peerStore.delete(peer.peerId)
    await assert.rejects(node.peerStore.get(peer.peerId), { name: 'NotFoundError' })
  })

  it('has the node itself, and tells its protocols', async (t) => {
    const node = await guardedNode(t)
    const peer = await caller(t, { identify: identify() })
    await peer.dial(node.getMultiaddrs())
    await until(async () => {
      const known = await peer.peerStore.get(node.peerId).catch(() => undefined)
      return known?.protocols.includes('/bootstrap/1.0.0') === true
    }, 'the peer knows what the node speaks')
  })
})

async function caller(t: TestContext, services = {}) {
  const peer = await startPeer({ services })
  t.after(() => peer.stop())
  return peer
}
