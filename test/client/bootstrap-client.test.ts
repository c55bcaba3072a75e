import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { BootstrapClient, type Dialer } from '../../src/client/bootstrap-client.ts'
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
    assert.equal((await forAlice.unregister()).registrations[0]!.status, 'removed')
    assert.deepEqual((await forBob.discover()).peers, [])
  })

  it('finds the peers of its own machine through a name, too', async () => {
    await new BootstrapClient(alice, at, { network: 'named' }).register([addressOf(alice)])
    const name = at.replace('/ip4/127.0.0.1/', '/dns4/localhost/')
    const { peers } = await new BootstrapClient(bob, name, { network: 'named' }).discover()
    assert.deepEqual(
      peers.map(({ id }) => id),
      [alice.peerId.toString()],
    )
  })

  it('tells a name that does not resolve, and does without it where there is another address', async () => {
    const unknown = at.replace('/ip4/127.0.0.1/', '/dns4/bootstrap.invalid/')
    await assert.rejects(new BootstrapClient(bob, unknown).discover(), {
      code: 'name_not_resolved',
      message: /bootstrap\.invalid/,
    })
    await new BootstrapClient(bob, [unknown, at]).discover()
  })

  it('learns nothing about its own network from a bootstrap on the internet', async (t) => {
    const neighbour = `/ip4/192.168.1.1/tcp/4001/p2p/${bob.peerId}`
    const answer = { peers: [{ address: neighbour }], bootstraps: [neighbour] }
    const liar = await startFakeBootstrap(() => `${JSON.stringify(answer)}\n`)
    t.after(() => liar.stop())
    const seenAt = (remoteAddr: string): Dialer => ({
      peerId: alice.peerId,
      dial: async (...how) =>
        new Proxy(await alice.dial(...how), {
          get: (target, key) => {
            const value = Reflect.get(target, key)
            return key === 'remoteAddr'
              ? multiaddr(remoteAddr)
              : typeof value === 'function'
                ? value.bind(target)
                : value
          },
        }),
    })
    const at = String(liar.getMultiaddrs()[0])
    for (const [remoteAddr, count] of [
      ['/ip4/45.0.0.1/tcp/4000', 0],
      ['/ip4/192.168.1.7/tcp/4000', 1],
    ] as const) {
      const { peers, bootstraps } = await new BootstrapClient(seenAt(remoteAddr), at).discover()
      assert.deepEqual([peers.length, bootstraps.length], [count, count])
    }
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
        assert.equal(err.retryAfter, code === 'rate_limited' ? 7000 : undefined)
        return true
      })
    }
    await liar.stop()
  })

  it('hands out the error of an answer that has peers beside it', async () => {
    const other = `/ip4/127.0.0.1/tcp/4001/p2p/${alice.peerId}`
    const liar = await startFakeBootstrap(
      () => `{"peers":[{"address":"${other}"}],"error":{"code":"unavailable","message":"full","retryAfter":7}}\n`,
    )
    const { peers, error } = await new BootstrapClient(bob, String(liar.getMultiaddrs()[0])).discover()
    assert.equal(peers.length, 1)
    assert.equal(error?.code, 'unavailable')
    assert.equal(error?.retryAfter, 7000)
    await liar.stop()
  })

  it('counts in ms, and writes whole seconds', async (t) => {
    const ttls: unknown[] = []
    const outcome = { address: addressOf(bob), status: 'listed', code: 'listed', message: '', expiresIn: 90 }
    const granting = await startFakeBootstrap(({ ttl }) => {
      ttls.push(ttl)
      return `${JSON.stringify({ peers: [], registrations: [outcome] })}\n`
    })
    t.after(() => granting.stop())
    const client = new BootstrapClient(bob, String(granting.getMultiaddrs()[0]))
    const { registrations } = await client.register([addressOf(bob)], { ttl: 90_999 })
    assert.equal(registrations[0]!.expiresIn, 90_000)
    await client.register([addressOf(bob)])
    await client.unregister()
    assert.deepEqual(ttls, [90, undefined, 0])
    // As a real bootstrap grants it.
    const real = await new BootstrapClient(alice, at, { network: 'ms' }).register([addressOf(alice)], { ttl: 90_000 })
    assert.equal(real.registrations[0]!.expiresIn, 90_000)
  })

  it('refuses addresses that do not name one peer', () => {
    assert.throws(() => new BootstrapClient(bob, '/ip4/127.0.0.1/tcp/4000'), /it names no peer; write its PeerId/)
    assert.throws(() => new BootstrapClient(bob, [at, String(alice.getMultiaddrs()[0])]), /name several peers/)
    assert.throws(() => new BootstrapClient(bob, []), /an empty array; write its multiaddrs/)
  })
})
