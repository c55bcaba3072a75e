import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { RecentMap } from '../../src/base/recent-map.ts'

it('a recent map holds the last half of its bound that were set, and its bound at the most', () => {
  const step = fc.record({ key: fc.nat(30), set: fc.boolean() })
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.array(step, { maxLength: 300 }), (max, steps) => {
      const map = new RecentMap<number, number>(max)
      // In the order in which they were last set; undefined once deleted.
      const model = new Map<number, number | undefined>()
      for (const [n, { key, set }] of steps.entries()) {
        if (set) {
          map.set(key, n)
          model.delete(key)
          model.set(key, n)
        } else if (model.has(key)) {
          map.delete(key)
          model.set(key, undefined)
        }
        assert.ok(map.size <= max)
        for (const [recent, value] of [...model].slice(-Math.floor(max / 2))) {
          assert.equal(map.get(recent), value)
        }
        for (let each = 0; each <= 30; each++) {
          assert.equal(map.has(each), map.get(each) !== undefined)
          assert.ok(map.get(each) === undefined || map.get(each) === model.get(each))
        }
      }
    }),
    { numRuns: 300 },
  )
})
