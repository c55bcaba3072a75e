import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Shuffled, shuffled, stochasticRound } from '../../src/base/shuffled.ts'
import { seededRandom } from '../support/random.ts'

describe('shuffled', () => {
  it('has each item once, and leaves the items as they are', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.nat(), (items, seed) => {
        const before = [...items]
        const mixed = shuffled(items, seededRandom(seed))
        assert.deepEqual(items, before)
        assert.deepEqual(mixed.toSorted(), items.toSorted())
      }),
    )
  })

  it('puts each item first, and last, equally often', () => {
    const random = seededRandom(1)
    const first = [0, 0, 0, 0, 0]
    const last = [0, 0, 0, 0, 0]
    for (let n = 0; n < 10_000; n++) {
      const mixed = shuffled([0, 1, 2, 3, 4], random)
      first[mixed[0]!]!++
      last[mixed[4]!]!++
    }
    for (const count of [...first, ...last]) {
      assert.ok(Math.abs(count - 2000) < 200, `${count} of 10,000`)
    }
  })

  it('is drawn one by one, and then there is none', () => {
    const drawn = new Shuffled(['a'], () => 0)
    assert.deepEqual([drawn.next(), drawn.next()], ['a', undefined])
  })
})

it('a stochastic rounding is a neighbour of the value, and the value on average', () => {
  const random = seededRandom(1)
  let sum = 0
  for (let n = 0; n < 10_000; n++) {
    const rounded = stochasticRound(2.3, random)
    assert.ok(rounded === 2 || rounded === 3)
    sum += rounded
  }
  assert.ok(Math.abs(sum / 10_000 - 2.3) < 0.02, String(sum))
  assert.equal(stochasticRound(4, random), 4)
})
