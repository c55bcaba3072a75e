import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Caller, callerAt } from '../../src/peer/caller.ts'
import { LONGEST_WAIT_MS, REQUEST_LIMITS, RequestLimits } from '../../src/policy/request-limits.ts'

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

function caller(peerId: string, ip: string, port = 4001): Caller {
  return callerAt(peerId, `/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/${port}`)!
}

function many<Value>(count: number, make: (n: number) => Value): Value[] {
  return Array.from({ length: count }, (_, n) => make(n))
}
