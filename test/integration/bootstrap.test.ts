import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Libp2p } from 'libp2p'
import { type BootstrapPeer, createBootstrapPeer } from '../../src/index.ts'
import { addressOf, ask, exchange, startPeer } from '../support/peers.ts'

describe('a bootstrap and its peers', () => {
  let bootstrap: BootstrapPeer
  let at: string
  let alice: Libp2p
  let bob: Libp2p

  before(async () => {
    bootstrap = createBootstrapPeer()
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    ;[alice, bob] = await Promise.all([startPeer(), startPeer()])
  })

  after(async () => {
    await Promise.all([alice, bob, bootstrap].map((each) => each.stop()))
  })

  it('hands a newcomer its own record and then the others', async () => {
    const aliceAt = `${addressOf(alice)}/p2p/${alice.peerId}`
    const bobAt = `${addressOf(bob)}/p2p/${bob.peerId}`
    assert.deepEqual(await ask(alice, at, { address: addressOf(alice) }), [{ address: aliceAt }])
    assert.deepEqual(await ask(bob, at, { address: bobAt }), [{ address: bobAt }, { address: aliceAt }])
    assert.deepEqual(JSON.parse(await exchange(alice, at, '')), [{ address: aliceAt }, { address: bobAt }])
  })

  it('says why a peer is not listed', async () => {
    const answer = await ask(alice, at, { address: '/ip4/127.0.0.1/tcp/1', explain: true })
    assert.equal(answer.registrations[0].code, 'port_not_allowed')
    const dead = await ask(alice, at, { address: '/ip4/127.0.0.1/tcp/65000', explain: true })
    assert.equal(dead.registrations[0].code, 'dial_refused')
    const other = await ask(alice, at, { address: addressOf(bob), explain: true })
    assert.equal(other.registrations[0].code, 'dial_wrong_peer')
  })
})
