import assert from 'node:assert/strict'
import { it } from 'node:test'
import { TokenBucket } from '../../src/base/token-bucket.ts'

it('a budget is spent at once, refills with time, and holds no more than its burst', () => {
  const bucket = new TokenBucket({ burst: 100, perSecond: 10 }, 0)
  assert.equal(bucket.spend(100, 0), true)
  assert.equal(bucket.spend(1, 0), false)
  assert.equal(bucket.spend(10, 1000), true)
  assert.equal(bucket.spend(1, 1000), false)
  assert.equal(bucket.spend(101, 1_000_000), false)
  assert.equal(bucket.spend(100, 1_000_000), true)
  // A clock that is set back gives nothing and takes nothing.
  assert.equal(bucket.spend(1, 0), false)
})
