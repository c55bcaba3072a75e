import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FairRateLimiter } from '../../src/base/fair-rate-limit.ts'

const LIMIT = { burst: 1000, perSecond: 50 }

describe('a bucket that many share', () => {
  it('is all there for those that take little: a crowd that starts together has the whole burst', () => {
    const limiter = new FairRateLimiter(LIMIT)
    let served = 0
    for (let n = 0; n < 2000; n++) {
      served += take(limiter, ['subnet', `member ${n}`], 0) ? 1 : 0
    }
    assert.ok(served >= LIMIT.burst - 1, `${served}`)
    assert.ok(served <= LIMIT.burst, `${served}`)
  })

  for (const spenders of [1, 3, 20, 250]) {
    it(`leaves the rate to ${spenders} that ask all the time, in equal shares, and a turn to the next`, () => {
      const limiter = new FairRateLimiter(LIMIT)
      const served = new Array<number>(spenders).fill(0)
      const refused: number[] = []
      for (let step = 0; step < 15_000; step++) {
        const now = step * 20
        for (let n = 0; n < spenders; n++) {
          // They ask in turn, and the first one ten times as often.
          const spender = n % 10 === 9 ? 0 : (step + n) % spenders
          served[spender]! += take(limiter, ['subnet', `member ${spender}`], now) && step >= 7500 ? 1 : 0
        }
        if (step % 250 === 0 && !take(limiter, ['subnet', `neighbour ${step}`], now)) {
          refused.push(now)
        }
      }
      assert.deepEqual(refused, [])
      const share = (150 * (LIMIT.perSecond - 0.2)) / spenders
      for (const count of served.slice(1)) {
        assert.ok(count > 0.8 * share && count < 1.2 * share, `${count} of ${share}`)
      }
      assert.ok(served[0]! < 1.5 * share, `${served[0]} of ${share}`)
    })
  }

  it('is shared on each level: what many took in one place leaves as much to a place beside it, and to one inside', () => {
    const limiter = new FairRateLimiter(LIMIT)
    let now = 0
    for (; now < 120_000; now += 1000) {
      for (let n = 0; n < 400; n++) {
        take(limiter, ['/48', '/56', `/64 ${n % 4}`], now)
      }
    }
    let beside = 0
    while (take(limiter, ['/48', 'beside', '/64'], now)) {
      beside++
    }
    assert.ok(beside > 100, `${beside}`)
    assert.ok(take(limiter, ['/48', '/56', 'inside'], now))
    assert.equal(take(limiter, ['/48', '/56', '/64 1'], now), false)
  })

  it('forgets all that was taken once it is full again', () => {
    const limiter = new FairRateLimiter(LIMIT)
    let first = 0
    while (take(limiter, ['subnet', 'a'], 0)) {
      first++
    }
    assert.equal(first, LIMIT.burst / 2)
    assert.ok(limiter.wait(['subnet', 'a'], 0) > 0)
    let again = 0
    while (take(limiter, ['subnet', 'a'], 10_000)) {
      again++
    }
    assert.equal(again, first)
  })

  it('says when there is a turn: not before, and then there is one', () => {
    const limiter = new FairRateLimiter(LIMIT)
    for (let n = 0; n < 600; n++) {
      limiter.take(['subnet', `member ${n % 2}`], 0)
    }
    const wait = limiter.wait(['subnet', 'member 0'], 0, 200)
    assert.ok(wait > 0)
    assert.ok(limiter.wait(['subnet', 'member 0'], wait - 1, 200) > 0)
    assert.ok(limiter.wait(['subnet', 'member 0'], wait + 1e-6, 200) < 1e-6)
  })

  it('takes nothing from those that are refused', () => {
    const limiter = new FairRateLimiter(LIMIT)
    while (take(limiter, ['subnet', 'a'], 0)) {}
    const wait = limiter.wait(['subnet', 'a'], 0)
    for (let n = 0; n < 10_000; n++) {
      take(limiter, ['subnet', 'a'], 0)
    }
    assert.equal(limiter.wait(['subnet', 'a'], 0), wait)
  })

  it('keeps its count under load that never ends', () => {
    const limiter = new FairRateLimiter({ burst: 10, perSecond: 1000 })
    for (let now = 0; now < 100_000; now++) {
      while (take(limiter, ['subnet', `member ${now % 2}`], now)) {}
    }
    const wait = limiter.wait(['subnet', 'newcomer'], 100_000)
    assert.equal(wait, 0)
  })
})

function take(limiter: FairRateLimiter, path: readonly string[], now: number): boolean {
  if (limiter.wait(path, now) > 0) {
    return false
  }
  limiter.take(path, now)
  return true
}
