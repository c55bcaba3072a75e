import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { createBootstrapPeer } from '../../src/index.ts'
import { BootstrapPeer } from '../../src/node.ts'
import { REQUEST_LIMITS } from '../../src/policy/request-limits.ts'
import { addressOf, ask, exchange, startPeer } from '../support/peers.ts'

describe('who asks too much', () => {
  it('is told when to come back, however often it calls anew, and others are served meanwhile', async (t) => {
    // A clock that stands still: no turn comes back while the test runs.
    const now = Date.now()
    const bootstrap = new BootstrapPeer({}, { clock: () => now })
    await bootstrap.start()
    t.after(() => bootstrap.stop())
    const [at] = bootstrap.multiaddrs as [string]
    const privateKey = await generateKeyPair('Ed25519')
    const { burst, perSecond } = REQUEST_LIMITS.peer

    let answered = 0
    let last: { error?: { code: string; retryAfter: number } } = {}
    for (let call = 0; call < burst / 10 + 2 && last.error === undefined; call++) {
      const peer = await startPeer({ privateKey, addresses: { listen: [] } })
      for (const line of (await exchange(peer, at, '{}\n'.repeat(10))).trim().split('\n')) {
        last = JSON.parse(line)
        answered += last.error === undefined ? 1 : 0
      }
      await peer.stop()
    }
    // The first ones beyond wait for their turn, for 0.9 s at the most.
    assert.ok(answered >= burst && answered <= burst + perSecond, `${answered}`)
    assert.equal(last.error?.code, 'rate_limited')
    assert.equal(last.error?.retryAfter, 1)

    const again = await startPeer({ privateKey, addresses: { listen: [] } })
    t.after(() => again.stop())
    assert.equal((await ask(again, at, {})).error.code, 'rate_limited')
    const other = await startPeer()
    t.after(() => other.stop())
    assert.deepEqual(await ask(other, at, { address: addressOf(other) }), [
      { address: `${addressOf(other)}/p2p/${other.peerId}` },
    ])
  })
})

describe('a closed network whose bootstrap can not dial back', () => {
  it('lists what registers, and says of each record that nobody has been there', async (t) => {
    const bootstrap = createBootstrapPeer({ listing: 'registered' })
    await bootstrap.start()
    t.after(() => bootstrap.stop())
    const [at] = bootstrap.multiaddrs as [string]
    const peer = await startPeer()
    t.after(() => peer.stop())
    const address = '/ip4/127.0.0.1/tcp/65001'
    const record = { address: `${address}/p2p/${peer.peerId}`, verified: false }
    assert.deepEqual(await ask(peer, at, { address }), [record])
    const other = await startPeer()
    t.after(() => other.stop())
    assert.deepEqual(await ask(other, at, {}), [record])
  })
})
