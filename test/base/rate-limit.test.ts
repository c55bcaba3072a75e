import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MAX_KEYS, RateLimiter } from '../../src/base/rate-limit.ts'

const LIMIT = { burst: 10, perSecond: 2 }

describe('RateLimiter', () => {
  it('lets a burst pass, then one turn each 1/rate', () => {
    const limiter = new RateLimiter(LIMIT)
    for (let n = 0; n < 10; n++) {
      assert.equal(limiter.wait('a', 1000), 0)
      limiter.take('a', 1000)
    }
    assert.equal(limiter.wait('a', 1000), 500)
    assert.equal(limiter.wait('a', 1499), 1)
    assert.equal(limiter.wait('a', 1500), 0)
  })

  it('knows each key by itself, and asking costs nothing', () => {
    const limiter = new RateLimiter(LIMIT)
    for (let n = 0; n < 100; n++) {
      limiter.take('a', 0)
      limiter.wait('b', 0)
    }
    assert.ok(limiter.wait('a', 0) > 0)
    assert.equal(limiter.wait('b', 0), 0)
  })

  it('never lets more than burst + rate × time pass, whenever they come', () => {
    const arrivals = fc.array(fc.nat(3000), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(arrivals, (gaps) => {
        const limiter = new RateLimiter(LIMIT)
        const passed: number[] = []
        let now = 0
        for (const gap of gaps) {
          now += gap
          if (limiter.wait('a', now) === 0) {
            limiter.take('a', now)
            passed.push(now)
          }
        }
        passed.forEach((from, first) => {
          passed.slice(first).forEach((to, count) => {
            assert.ok(count + 1 <= LIMIT.burst + ((to - from) / 1000) * LIMIT.perSecond + 1e-6)
          })
        })
      }),
    )
  })

  it('is full again after a while, and no fuller than full', () => {
    const limiter = new RateLimiter(LIMIT)
    for (let n = 0; n < 10; n++) {
      limiter.take('a', 0)
    }
    for (let n = 0; n < 10; n++) {
      assert.equal(limiter.wait('a', 1e9), 0)
      limiter.take('a', 1e9)
    }
    assert.ok(limiter.wait('a', 1e9) > 0)
  })

  it('remembers a bounded number of keys, and forgets those that asked longest ago', () => {
    const limiter = new RateLimiter(LIMIT)
    for (let n = 0; n < 3 * MAX_KEYS; n++) {
      limiter.take(`key ${n}`, n)
      limiter.take('busy', n)
    }
    assert.ok(limiter.size <= MAX_KEYS && limiter.size >= MAX_KEYS / 2)
    assert.ok(limiter.wait('busy', 3 * MAX_KEYS) > 0)
  })
})
