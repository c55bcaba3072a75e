import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bootstrapService } from '../../src/index.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'

describe('the service in a node that exists already', () => {
  it('serves the protocol beside whatever else the node does', async () => {
    const host = await startPeer({ services: { bootstrap: bootstrapService() } })
    const peer = await startPeer()
    const address = addressOf(peer)
    assert.deepEqual(await ask(peer, host.getMultiaddrs()[0]!, { address }), [
      { address: `${address}/p2p/${peer.peerId}` },
    ])
    await Promise.all([host.stop(), peer.stop()])
  })
})
