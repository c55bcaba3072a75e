import assert from 'node:assert/strict'
import { it } from 'node:test'
import { LoopShare } from '../../src/host/guard/loop-share.ts'
import { createBootstrapPeer } from '../../src/index.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'

it('a node has one loop share, the guard’s, and none with that protection disabled', async (t) => {
  const take = t.mock.method(LoopShare.prototype, 'take')
  const peer = await startPeer()
  t.after(() => peer.stop())
  for (const [protections, shares] of [
    [[], 1],
    [['loopShare'], 0],
  ] as const) {
    take.mock.resetCalls()
    const bootstrap = createBootstrapPeer({ disable: { protections } })
    await bootstrap.start()
    await ask(peer, bootstrap.multiaddrs[0]!, { address: addressOf(peer) })
    await bootstrap.stop()
    assert.equal(new Set(take.mock.calls.map((call) => call.this)).size, shares)
  }
})
