import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Caller, callerAt } from '../../src/peer/caller.ts'
import { LONGEST_WAIT_MS, REQUEST_LIMITS, RequestLimits } from '../../src/policy/request-limits.ts'
import { seededRandom } from '../support/random.ts'

const { peer, ip, subnet, privateIp } = REQUEST_LIMITS

describe('RequestLimits', () => {
  it('serves a burst at once, queues the next ones, then refuses with the seconds to wait', () => {
    const limits = new RequestLimits()
    const turns = many(peer.burst + 5, () => limits.next(caller('a', '8.8.8.8'), 0))
    assert.deepEqual(
      turns.slice(0, peer.burst),
      many(peer.burst, () => ({ wait: 0 })),
    )
    assert.deepEqual(turns.slice(peer.burst), [
      { wait: 200 },
      { wait: 400 },
      { wait: 600 },
      { wait: 800 },
      { retryAfter: 1 },
    ])
  })

  it('takes nothing from those it refuses: after retryAfter seconds they are served', () => {
    const limits = new RequestLimits()
    many(10_000, () => limits.next(caller('a', '8.8.8.8'), 0))
    const turn = limits.next(caller('a', '8.8.8.8'), 0)
    assert.deepEqual(turn, { retryAfter: 1 })
    assert.ok('wait' in limits.next(caller('a', '8.8.8.8'), 1000))
  })

  it('does not forget who reconnects, nor who comes back with another identity from the same IP', () => {
    const limits = new RequestLimits()
    const served = many(5000, (n) => limits.next(caller(`peer ${n}`, '8.8.8.8', 1024 + n), 0)).filter(
      (turn) => 'wait' in turn,
    )
    assert.equal(served.length, ip.burst + Math.floor((LONGEST_WAIT_MS / 1000) * ip.perSecond))
  })

  for (const [name, address] of [
    ['a /24', (n: number) => `8.8.8.${n % 256}`],
    ['a /64', (n: number) => `2a01:4f8::${(n % 65_536).toString(16)}`],
    ['a /48', (n: number) => `2a01:4f8:1:${(n % 65_536).toString(16)}::1`],
  ] as const) {
    it(`holds back 100,000 identities in ${name}, and nobody beside it`, () => {
      const limits = new RequestLimits()
      const served = many(100_000, (n) => limits.next(caller(`peer ${n}`, address(n)), 0)).filter(
        (turn) => 'wait' in turn,
      )
      assert.ok(served.length >= ip.burst && served.length <= subnet.burst + subnet.perSecond, `${served.length}`)
      for (const neighbour of ['8.8.9.8', '2a01:4f8:2::1', '2a01:4f9::1']) {
        assert.deepEqual(limits.next(caller('neighbour', neighbour), 0), { wait: 0 })
      }
    })
  }

  it('lets a test network of a thousand peers start at once on one machine, and behind one private address', () => {
    for (const address of ['127.0.0.1', '10.0.0.5', '192.168.1.1']) {
      const limits = new RequestLimits()
      const turns = many(10_000, (n) => limits.next(caller(`peer ${n % 1000}`, address), 0))
      assert.ok(turns.every((turn) => 'wait' in turn && turn.wait === 0))
    }
    assert.ok(privateIp.burst >= 10_000)
  })
})

describe('a subnet whose turns all are taken', () => {
  for (const [what, attackers, neighbour] of [
    ['three addresses of a /24', ['8.8.8.1', '8.8.8.2', '8.8.8.3'], '8.8.8.200'],
    ['250 addresses of a /24', many(250, (n) => `8.8.8.${n}`), '8.8.8.251'],
    ['four /64s of a /48', many(4, (n) => `2a01:4f8:1:${n}::1`), '2a01:4f8:1:5::1'],
    ['all of a /56', many(256, (n) => `2a01:4f8:1:${n.toString(16)}::1`), '2a01:4f8:1:100::1'],
  ] as const) {
    it(`by ${what}, without a pause: a neighbour that asks every 20 s is served within 2 s, they at the old rate`, () => {
      const limits = new RequestLimits()
      const crowd = many(250, (n) => caller(`${n}`, attackers[n % attackers.length]!))
      const waited: number[] = []
      let served = 0
      let askAt = 60_000
      const random = seededRandom(1)
      for (let now = 0; now < 120_000; now += 20) {
        for (let asked = 0; asked < 20; asked++) {
          const one = crowd[Math.floor(random() * crowd.length)]!
          served += 'wait' in limits.next(one, now) && now >= 60_000 ? 1 : 0
        }
        if (now >= askAt) {
          const turn = limits.next(caller('neighbour', neighbour), now)
          if ('wait' in turn) {
            waited.push(now - (60_000 + 20_000 * waited.length))
          }
          askAt = 'wait' in turn ? 60_000 + 20_000 * waited.length : now + 1000 * turn.retryAfter
        }
      }
      assert.equal(waited.length, 3)
      assert.ok(Math.max(...waited) <= 2000, `${waited}`)
      assert.ok(served >= 0.95 * 60 * subnet.perSecond && served <= 60 * subnet.perSecond, `${served}`)
    })
  }
})

describe('a caller behind a translator', () => {
  for (const [what, translated] of [
    ['6to4', '2002:808:808::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:f7f7:f7f7'],
    ['NAT64', '64:ff9b::808:808'],
  ] as const) {
    it(`(${what}) has the limits of the IPv4 address inside, together with it`, () => {
      const limits = new RequestLimits()
      const served = many(20_000, (n) =>
        limits.next(caller(`peer ${n}`, n % 2 === 0 ? translated : '8.8.8.8'), 0),
      ).filter((turn) => 'wait' in turn)
      assert.equal(served.length, ip.burst + Math.floor((LONGEST_WAIT_MS / 1000) * ip.perSecond))
    })
  }

  it('whose IPv4 address is private, or that is reserved in another way, has the limits of a public one', () => {
    for (const address of ['64:ff9b::a00:1', '2001:db8::1', '2002:7f00:1::1']) {
      const limits = new RequestLimits()
      const served = many(5000, (n) => limits.next(caller(`peer ${n}`, address), 0)).filter((turn) => 'wait' in turn)
      assert.ok(served.length <= ip.burst + ip.perSecond, `${address} ${served.length}`)
    }
  })
})

it('what a request cost beyond its turn is taken from its address and its share, and says so to its neighbours', () => {
  const limits = new RequestLimits()
  const [one, other] = [caller('a', '8.8.8.8'), caller('b', '8.8.8.9')]
  assert.ok('wait' in limits.next(one, 0))
  limits.charge(one, 600, 0)
  assert.ok(!limits.hasTurn(one, 0))
  assert.ok('retryAfter' in limits.next(one, 0))
  assert.ok(limits.hasTurn(other, 0))
  assert.deepEqual(limits.next(other, 0), { wait: 0 })
})

function caller(peerId: string, ip: string, port = 4001): Caller {
  return callerAt(peerId, `/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/${port}`)!
}

function many<Value>(count: number, make: (n: number) => Value): Value[] {
  return Array.from({ length: count }, (_, n) => make(n))
}
