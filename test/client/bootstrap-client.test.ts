import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Libp2p } from 'libp2p'
import { BootstrapClient } from '../../src/client/bootstrap-client.ts'
import { type BootstrapPeer, createBootstrapPeer } from '../../src/index.ts'
import { addressOf, startPeer } from '../support/peers.ts'
import { until } from '../support/wait.ts'
import { startFakeBootstrap } from './fake-bootstrap.ts'

describe('a client of one bootstrap', () => {
  let bootstrap: BootstrapPeer
  let alice: Libp2p
  let bob: Libp2p
  let at: string

  before(async () => {
    bootstrap = createBootstrapPeer()
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    ;[alice, bob] = await Promise.all([startPeer(), startPeer()])
  })

  after(async () => {
    await Promise.all([alice, bob, bootstrap].map((each) => each.stop()))
  })

  it('registers, is found by others, and takes itself back', async () => {
    const [forAlice, forBob] = [new BootstrapClient(alice, at), new BootstrapClient(bob, at)]
    const registered = await forAlice.register([addressOf(alice)])
    assert.equal(registered.registrations[0]!.status, 'listed')
    assert.equal(registered.self?.id, alice.peerId.toString())
    assert.match(registered.observed!, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)
    const { peers } = await forBob.discover()
    assert.deepEqual(peers, [
      { id: alice.peerId.toString(), addresses: [{ text: addressOf(alice), group: undefined }] },
    ])
    assert.equal((await forAlice.unregister()).registrations[0]!.code, 'removed')
    assert.deepEqual((await forBob.discover()).peers, [])
  })

  it('keeps networks apart', async () => {
    await new BootstrapClient(alice, at, { network: 'a' }).register([addressOf(alice)])
    assert.equal((await new BootstrapClient(bob, at, { network: 'a' }).discover()).peers.length, 1)
    assert.equal((await new BootstrapClient(bob, at, { network: 'b' }).discover()).peers.length, 0)
  })

  it('hears why it is not listed', async () => {
    const { registrations } = await new BootstrapClient(bob, at).register(['/ip4/127.0.0.1/tcp/65000'])
    assert.equal(registrations[0]!.code, 'dial_refused')
  })

  it('hangs up when it is done, but not on a connection that was there before', async () => {
    const client = new BootstrapClient(bob, at)
    await Promise.all([client.discover(), client.discover()])
    await until(() => bob.getConnections(bootstrap.peerId).length === 0, 'the connection is closed')
    const connection = await bob.dial(bootstrap.libp2p.getMultiaddrs())
    await client.discover()
    assert.equal(connection.status, 'open')
    await connection.close()
  })

  it('says what is wrong with a bootstrap that does not answer', async () => {
    const nobody = at.replace(/tcp\/\d+/, 'tcp/1')
    const renamed = at.replace(/p2p\/.*/, `p2p/${alice.peerId}`)
    const expected = {
      [nobody]: 'unreachable',
      [renamed]: 'wrong_peer',
      [String(alice.getMultiaddrs()[0])]: 'unsupported',
    }
    for (const [address, code] of Object.entries(expected)) {
      await assert.rejects(new BootstrapClient(bob, address).discover(), { name: 'BootstrapError', code }, address)
    }
  })

  it('gives up on a bootstrap that is silent, and when it is told to', async () => {
    const silent = await startFakeBootstrap(() => undefined)
    const address = String(silent.getMultiaddrs()[0])
    await assert.rejects(new BootstrapClient(bob, address, { timeout: 1000 }).discover(), { code: 'timeout' })
    const abort = new AbortController()
    const call = new BootstrapClient(bob, address).discover({ signal: abort.signal })
    abort.abort()
    await assert.rejects(call, { code: 'aborted' })
    await silent.stop()
  })

  it('takes no answer that is too long, cut short or no list', async () => {
    const answers: Record<string, string> = {
      answer_too_long: `[${' '.repeat(600 * 1024)}]\n`,
      answer_not_json: '[{"address":"/ip4/8.8.8.8',
      answer_not_a_list: '{}\n',
      rate_limited: '{"error":{"code":"rate_limited","message":"later","retryAfter":7}}\n',
    }
    let answer = ''
    const liar = await startFakeBootstrap(() => answer)
    const client = new BootstrapClient(bob, String(liar.getMultiaddrs()[0]))
    for (const code of Object.keys(answers)) {
      answer = answers[code]!
      await assert.rejects(client.discover(), (err: { code?: string; retryAfter?: number }) => {
        assert.equal(err.code, code)
        assert.equal(err.retryAfter, code === 'rate_limited' ? 7 : undefined)
        return true
      })
    }
    await liar.stop()
  })

  it('refuses addresses that do not name one peer', () => {
    assert.throws(() => new BootstrapClient(bob, '/ip4/127.0.0.1/tcp/4000'), /it names no peer; write its PeerId/)
    assert.throws(() => new BootstrapClient(bob, [at, String(alice.getMultiaddrs()[0])]), /name several peers/)
    assert.throws(() => new BootstrapClient(bob, []), /an empty array; write its multiaddrs/)
  })
})
