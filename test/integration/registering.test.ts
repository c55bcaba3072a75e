import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Libp2p } from 'libp2p'
import { BootstrapPeer } from '../../src/node.ts'
import { anyPeerId } from '../support/known-peers.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { callerFrom, testPoint } from '../support/points.ts'

describe('registering', () => {
  let now = Date.now()
  let bootstrap: BootstrapPeer
  let at: string
  let peer: Libp2p
  let own: string
  let port: string

  before(async () => {
    bootstrap = new BootstrapPeer({}, { clock: () => now })
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    peer = await startPeer({ addresses: { listen: Array(9).fill('/ip4/127.0.0.1/tcp/0') } })
    own = addressOf(peer)
    port = own.split('/').at(-1)!
  })

  after(async () => {
    await Promise.all([peer.stop(), bootstrap.stop()])
  })

  /** What is listed for the peer in a network of the test's own, after the request. */
  async function listed(network: string, request: object): Promise<string[]> {
    const answer = await ask(peer, at, { ...request, network })
    return answer.flatMap((each: { address: string; addresses?: string[] }) => each.addresses ?? [each.address])
  }

  it('reads an address in any form that names this peer at the IP it is seen at', async () => {
    const forms = [
      own,
      `${own}/p2p/${peer.peerId}`,
      `${own}/p2p/${peer.peerId.toCID()}`,
      `127.0.0.1:${port}`,
      `:${port}`,
      `0.0.0.0:${port}`,
      `[::]:${port}`,
      `/ip4/0.0.0.0/tcp/${port}`,
      `/ip6/::/tcp/${port}`,
      `/ip4/0.0.0.0/tcp/${port}/p2p/${peer.peerId}`,
    ]
    for (const [n, address] of forms.entries()) {
      assert.deepEqual(await listed(`form ${n}`, { address }), [`${own}/p2p/${peer.peerId}`], address)
    }
  })

  it('takes addresses one by one, as a list, or as an array of records', async () => {
    const [a, b, c] = peer.getMultiaddrs().map(String) as [string, string, string]
    assert.deepEqual(new Set(await listed('list', { address: a, addresses: [b, c] })), new Set([a, b, c]))
    const array = [{ address: a, network: 'array' }, { address: b }, { addresses: [c] }]
    const [record] = await ask(peer, at, array)
    assert.deepEqual(new Set(record.addresses), new Set([a, b, c]))
    assert.equal(record.address, record.addresses[0])
  })

  it('lists the same address once, however it was written', async () => {
    assert.deepEqual(await listed('twice', { addresses: [own, `127.0.0.1:${port}`, `:${port}`] }), [
      `${own}/p2p/${peer.peerId}`,
    ])
  })

  const refusals: ReadonlyArray<readonly [code: string, address: () => string]> = [
    ['peer_mismatch', () => `${own}/p2p/${anyPeerId()}`],
    ['peer_mismatch', () => `${own}/p2p/nonsense`],
    ['peer_mismatch', () => `${own}/p2p/${bootstrap.peerId}`],
    ['ip_mismatch', () => `/ip4/127.0.0.2/tcp/${port}`],
    ['ip_private', () => `/ip4/10.1.2.3/tcp/${port}`],
    ['ip_mismatch', () => `/ip4/8.8.8.8/tcp/${port}`],
    ['ip_special', () => `/ip4/224.0.0.1/tcp/${port}`],
    ['port_not_allowed', () => ':25'],
    ['port_invalid', () => ':65536'],
    ['address_invalid', () => ''],
    ['address_invalid', () => '\ud800'],
    ['address_not_canonical', () => '/ip4/127.0.0.1/tcp/04001'],
    ['address_unsupported', () => `localhost:${port}`],
    ['address_unsupported', () => `/dns4/localhost/tcp/${port}`],
    ['address_unsupported', () => `${own}/p2p/${peer.peerId}/p2p-circuit`],
    ['address_too_long', () => `/ip4/127.0.0.1/tcp/${port}/p2p/${'Q'.repeat(256)}`],
    ['dial_refused', () => '/ip4/127.0.0.1/tcp/65001'],
    ['dial_self', () => at.replace(/\/p2p\/.*/, '')],
  ]
  for (const [code, address] of refusals) {
    it(`refuses what is not the caller's or can't be reached: ${code}`, async () => {
      const answer = await ask(peer, at, { address: address(), explain: true, network: 'refusals' })
      assert.equal(answer.registrations[0].code, code)
      assert.equal(answer.registrations[0].status, 'refused')
      assert.equal(answer.registrations[0].expiresIn, null)
      assert.deepEqual(answer.peers, [])
    })
  }

  it('clamps the time to live and tells what is left of it', async () => {
    const cases = [
      [undefined, 7200],
      [1, 60],
      [60, 60],
      [61, 61],
      [259_200, 259_200],
      [1_000_000, 259_200],
    ] as const
    for (const [ttl, expiresIn] of cases) {
      const { registrations } = await ask(peer, at, { address: own, network: `ttl ${ttl}`, explain: true, ttl })
      assert.deepEqual(registrations[0], {
        address: own,
        status: 'listed',
        code: 'listed',
        message: 'other peers get this address',
        expiresIn,
      })
    }
  })

  it('forgets a registration when its time is over, and not before unless it is renewed', async () => {
    await listed('expiry', { address: own, ttl: 60 })
    now += 59_999
    assert.equal((await listed('expiry', {})).length, 1)
    await listed('expiry', { address: own, ttl: 60 })
    now += 59_999
    assert.equal((await listed('expiry', {})).length, 1)
    now += 1
    assert.deepEqual(await listed('expiry', {}), [])
  })

  it('takes one address back with ttl 0, and all of a network without an address', async () => {
    const all = peer.getMultiaddrs().slice(0, 3).map(String)
    await listed('back', { addresses: all })
    await listed('kept', { addresses: all })
    const removed = await ask(peer, at, { address: all[0], network: 'back', ttl: 0, explain: true })
    assert.deepEqual(
      removed.registrations.map(({ status, code }: { status: string; code: string }) => [status, code]),
      [['removed', 'removed']],
    )
    assert.deepEqual(new Set(removed.peers[0].addresses), new Set(all.slice(1)))
    assert.deepEqual(await listed('back', { ttl: 0 }), [])
    assert.equal((await listed('kept', {})).length, 3)
  })

  it('keeps at most 8 addresses of a peer: the one proved longest ago makes room', async () => {
    // Without a node, so that no tick proves one of them again before the ninth comes.
    let at = Date.now()
    const id = anyPeerId()
    const { point, registry } = testPoint({ dial: async () => ({ peerId: id }), clock: () => at })
    const nine = Array.from({ length: 9 }, (_, n) => `/ip4/8.8.8.8/tcp/${4001 + n}`)
    const register = async (addresses: readonly string[]) => {
      const caller = callerFrom(id, '/ip4/8.8.8.8/tcp/4001')
      await point.register(caller, { network: '', addresses, ttlMs: 7_200_000 }, AbortSignal.timeout(10_000))
      at += 1000
    }
    await register([nine[3]!])
    await register(nine.filter((_, n) => n !== 3 && n !== 8))
    await register([nine[8]!])
    const kept = registry.registrationsOf('', id).map(({ address }) => address)
    assert.deepEqual(new Set(kept), new Set(nine.filter((_, n) => n !== 3)))
  })

  it('keeps networks apart', async () => {
    await listed('one', { address: own })
    assert.deepEqual(await listed('two', {}), [])
    assert.deepEqual(await listed('', {}), [])
    assert.equal((await listed('one', {})).length, 1)
  })

  it('ignores members that it does not know', async () => {
    assert.equal((await listed('unknown', { address: own, agent: 'x', nested: { ttl: 0 } })).length, 1)
  })
})
