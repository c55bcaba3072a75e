import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readOfferedBootstraps, readOfferedPeers } from '../../src/client/offered-peers.ts'
import type { Scope } from '../../src/peer/ip.ts'

const ID = '12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK'
const OTHER = '12D3KooWBrYqUb9CzE3D2Hgt4b96BuGco7ojbetgQhanGbHHVUq3'

describe('what a client takes from an answer', () => {
  const taken = (addresses: string[], seenAt: Scope = 'public') =>
    readOfferedPeers([{ addresses }], seenAt).flatMap((peer) => peer.addresses.map(({ text }) => text))

  it('is a literal IP, a TCP port and a PeerId', () => {
    assert.deepEqual(taken([`/ip4/8.8.8.8/tcp/4001/p2p/${ID}`]), ['/ip4/8.8.8.8/tcp/4001'])
    assert.deepEqual(taken([`/ip6/2600::1/tcp/443/p2p/${ID}`]), ['/ip6/2600::1/tcp/443'])
    const refused = [
      '/ip4/8.8.8.8/tcp/4001',
      '/ip4/8.8.8.8/tcp/4001/p2p/nobody',
      `/dns4/evil.example/tcp/4001/p2p/${ID}`,
      `/unix/tmp%2fx/p2p/${ID}`,
      `/ip4/8.8.8.8/tcp/25/p2p/${ID}`,
      `/ip4/0.0.0.0/tcp/4001/p2p/${ID}`,
      `/ip4/224.0.0.1/tcp/4001/p2p/${ID}`,
      `/ip6/64:ff9b::808:808/tcp/4001/p2p/${ID}`,
      `/ip4/8.8.8.8/tcp/4001/p2p/${OTHER}/p2p-circuit/p2p/${ID}`,
      `/ip4/8.8.8.8/tcp/4001/p2p/${ID}${'1'.repeat(300)}`,
      '8.8.8.8:4001',
      'a\u0000b',
      '',
    ]
    for (const address of refused) {
      assert.deepEqual(taken([address]), [], address)
    }
  })

  it('is one peer a record', () => {
    assert.deepEqual(taken([`/ip4/8.8.8.8/tcp/4001/p2p/${ID}`, `/ip4/8.8.4.4/tcp/4001/p2p/${OTHER}`]), [])
    assert.equal(taken([`/ip4/8.8.8.8/tcp/4001/p2p/${ID}`, `/ip4/8.8.4.4/tcp/4001/p2p/${ID}`]).length, 2)
  })

  it('is not our own network when it comes from outside of it', () => {
    const [loopback, home, world] = ['127.0.0.1', '192.168.1.1', '8.8.8.8'].map((ip) => `/ip4/${ip}/tcp/4001`)
    const all = [loopback, home, world].map((each) => `${each}/p2p/${ID}`)
    assert.deepEqual(taken(all, 'public'), [world])
    assert.deepEqual(taken(all, 'private-10'), [home, world])
    assert.deepEqual(taken(all, 'loopback'), [loopback, home, world])
    assert.deepEqual(readOfferedBootstraps([...all, `/dns4/evil.example/tcp/4001/p2p/${ID}`], 'public'), [all[2]])
    assert.deepEqual(readOfferedBootstraps(all, 'loopback'), all)
  })
})
