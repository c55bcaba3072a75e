import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Reader, STALL_MS, slowReaders } from '../../../src/host/guard/slow-readers.ts'

const reader = (stalled: boolean, unsent: number): Reader & { stalled: boolean } => ({
  stalled,
  unsent,
  stalledSince: undefined,
})

describe('slow readers', () => {
  it('are those that take nothing for a while', () => {
    const [stalled, reads] = [reader(true, 10), reader(false, 10)]
    assert.deepEqual(slowReaders([stalled, reads], 0), [])
    assert.deepEqual(slowReaders([stalled, reads], STALL_MS - 1), [])
    assert.deepEqual(slowReaders([stalled, reads], STALL_MS), [stalled])
  })

  it('are not those that took something in between', () => {
    const slow = reader(true, 10)
    slowReaders([slow], 0)
    slow.stalledSince = undefined
    assert.deepEqual(slowReaders([slow], STALL_MS), [])
    slow.stalled = false
    assert.deepEqual(slowReaders([slow], 2 * STALL_MS), [])
    slow.stalled = true
    assert.deepEqual(slowReaders([slow], 3 * STALL_MS), [])
  })

  it('are those with the most waiting when all together keep too much', () => {
    const [little, much, more] = [reader(false, 100), reader(false, 400), reader(false, 500)]
    assert.deepEqual(slowReaders([little, much, more], 0, 1000), [])
    assert.deepEqual(slowReaders([little, much, more], 0, 999), [more])
    assert.deepEqual(slowReaders([little, much, more], 0, 100), [more, much])
  })
})
