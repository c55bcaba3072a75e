import assert from 'node:assert/strict'
import { it } from 'node:test'
import { CounterFeed } from '../../src/base/counter-feed.ts'

it('passes on every label at 0, and then only what rose', () => {
  const passed: Array<Record<string, number>> = []
  const counts = { a: 0, b: 0 }
  const feed = new CounterFeed({ increment: (values) => passed.push(values) }, () => counts)
  feed.push()
  counts.a = 2
  feed.push()
  feed.push()
  counts.a = 3
  counts.b = 1
  feed.push()
  assert.deepEqual(passed, [{ a: 0, b: 0 }, { a: 2 }, { a: 1, b: 1 }])
})
