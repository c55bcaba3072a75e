import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressesToRegister } from '../../src/client/addresses-to-register.ts'

const ID = '/p2p/12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK'
const V4 = `/ip4/1.2.3.4/tcp/4000${ID}`
const announced = (addresses: string[]) => ({ announced: addresses, unconfirmed: [] })
const V6 = `/ip6/2600::1/tcp/4000${ID}`

describe('what a node registers of its addresses', () => {
  const cases: Array<[what: string, own: string[], bootstrap: string[], registered: string[]]> = [
    [
      'its public address',
      [`/ip4/8.8.8.8/tcp/4001${ID}`, `/ip4/10.0.0.2/tcp/4001${ID}`],
      [V4],
      ['/ip4/8.8.8.8/tcp/4001'],
    ],
    [
      'its port where it knows only private ones',
      [`/ip4/10.0.0.2/tcp/4001${ID}`, '/ip4/127.0.0.1/tcp/4001'],
      [V4],
      ['/ip4/0.0.0.0/tcp/4001'],
    ],
    [
      'what it is seen at, not what another family has',
      ['/ip4/10.0.0.2/tcp/4001', '/ip6/2600::2/tcp/4002'],
      [V4],
      ['/ip4/0.0.0.0/tcp/4001'],
    ],
    [
      'the public one of the family it is seen in',
      ['/ip4/10.0.0.2/tcp/4001', '/ip6/2600::2/tcp/4002'],
      [V6],
      ['/ip6/2600::2/tcp/4002'],
    ],
    [
      'all, with a bootstrap that has both families',
      ['/ip4/8.8.8.8/tcp/4001', '/ip6/2600::2/tcp/4001'],
      [V4, V6],
      ['/ip4/8.8.8.8/tcp/4001', '/ip6/2600::2/tcp/4001'],
    ],
    [
      'all, with a bootstrap behind a name that may be of either family',
      ['/ip4/8.8.8.8/tcp/4001', '/ip6/2600::2/tcp/4001'],
      [`/dns/b.example/tcp/1${ID}`],
      ['/ip4/8.8.8.8/tcp/4001', '/ip6/2600::2/tcp/4001'],
    ],
    [
      'what IPv4 has, with a bootstrap behind a name of IPv4',
      ['/ip4/10.0.0.2/tcp/4001', '/ip6/fd00::2/tcp/4002'],
      [`/dns4/b.example/tcp/1${ID}`],
      ['/ip4/0.0.0.0/tcp/4001'],
    ],
    [
      'what IPv6 has, with a bootstrap behind a name of IPv6',
      ['/ip4/10.0.0.2/tcp/4001', '/ip6/fd00::2/tcp/4002'],
      [`/dns6/b.example/tcp/1${ID}`],
      ['/ip4/0.0.0.0/tcp/4002'],
    ],
    ['nothing of a name of the other family', [`/dns6/node.example/tcp/4001${ID}`], [V4], []],
    ['the port of a name it announces', [`/dns4/node.example/tcp/4001${ID}`], [V4], ['/ip4/0.0.0.0/tcp/4001']],
    ['nothing when it does not listen', [], [V4], []],
    [
      'nothing that no bootstrap dials',
      ['/ip4/8.8.8.8/tcp/4001/ws', '/ip4/8.8.8.8/udp/4001/quic-v1', '/p2p-circuit'],
      [V4],
      [],
    ],
  ]
  for (const [what, own, bootstrap, registered] of cases) {
    it(`is ${what}`, () => assert.deepEqual(addressesToRegister(announced(own), bootstrap), registered))
  }

  it('is what the family of the connection has, once there is one', () => {
    const own = ['/ip4/10.0.0.2/tcp/4001', '/ip6/fd00::2/tcp/4002', '/dns/node.example/tcp/4003']
    const inSix = addressesToRegister(announced(own), [V4, V6], 6)
    assert.deepEqual(inSix, ['/ip4/0.0.0.0/tcp/4002', '/ip4/0.0.0.0/tcp/4003'])
    assert.deepEqual(addressesToRegister(announced(own.slice(1, 2)), [V4, V6], 4), [])
  })

  it('is the port of a public address that libp2p does not announce yet, before those of private ones', () => {
    const unconfirmed = ['/ip4/8.8.8.8/tcp/4001', '/ip6/2600::2/tcp/4002', '/ip4/8.8.8.8/udp/4003/quic-v1']
    assert.deepEqual(addressesToRegister({ announced: [], unconfirmed }, [V4]), ['/ip4/0.0.0.0/tcp/4001'])
    const both = { announced: ['/ip4/127.0.0.1/tcp/5000', '/ip4/10.0.0.2/tcp/4001'], unconfirmed }
    assert.deepEqual(addressesToRegister(both, [V4]), ['/ip4/0.0.0.0/tcp/4001', '/ip4/0.0.0.0/tcp/5000'])
    assert.deepEqual(addressesToRegister(both, [V6]), ['/ip4/0.0.0.0/tcp/4002'])
  })

  it('is not that port where a public address is confirmed', () => {
    const own = { announced: ['/ip4/9.9.9.9/tcp/4001'], unconfirmed: ['/ip4/8.8.8.8/tcp/4002'] }
    assert.deepEqual(addressesToRegister(own, [V4]), ['/ip4/9.9.9.9/tcp/4001'])
  })
})
