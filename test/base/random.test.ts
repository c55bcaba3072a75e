import assert from 'node:assert/strict'
import { it } from 'node:test'
import { secureRandom } from '../../src/base/random.ts'

it('the chance that decides who is handed out is even, never repeats itself, and is not Math.random', (t) => {
  t.mock.method(Math, 'random', () => assert.fail('whoever has seen a few numbers of that one knows the next'))
  const [random, another] = [secureRandom(), secureRandom()]
  const numbers = Array.from({ length: 64_000 }, random)
  assert.ok(numbers.every((number) => number >= 0 && number < 1))
  // Of 2^32 different ones, half a pair is expected.
  assert.ok(new Set(numbers).size > numbers.length - 10)
  assert.notDeepEqual(Array.from({ length: 8 }, another), numbers.slice(0, 8))
  const buckets = Array<number>(16).fill(0)
  for (const number of numbers) {
    buckets[Math.floor(number * 16)]!++
  }
  const chiSquare = buckets.reduce((sum, count) => sum + (count - 4000) ** 2 / 4000, 0)
  assert.ok(chiSquare < 50, `${chiSquare}`) // p > 0.00001 at 15 degrees
})
