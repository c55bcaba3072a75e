import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Lanes, MAX_RETRIES, RETRY_EVERY, type Turn } from '../../src/proofs/lanes.ts'

const always = () => true

describe('turns of those that wait for a proof', () => {
  it('go in order, past what is due no more', () => {
    const lanes = new Lanes<number>()
    for (let n = 0; n < 5000; n++) {
      lanes.add(n, false)
    }
    const taken: number[] = []
    for (let turn = lanes.next((n) => n % 3 > 0); turn !== undefined; turn = lanes.next((n) => n % 3 > 0)) {
      taken.push(turn.item)
    }
    assert.deepEqual(
      taken,
      Array.from({ length: 5000 }, (_, n) => n).filter((n) => n % 3 > 0),
    )
    assert.equal(lanes.size, 0)
  })

  it('are for the living first: a silent crowd has a quarter of them, and a bounded number at a time', () => {
    const lanes = new Lanes<string>()
    for (let n = 0; n < 10_000; n++) {
      lanes.add('silent', true)
      lanes.add('living', false)
    }
    const taken = Array.from({ length: 100 }, () => lanes.next(always)!)
    assert.equal(taken.filter(({ isRetry }) => isRetry).length, 100 / RETRY_EVERY)
    // None of the silent ends: the living go on.
    const more = Array.from({ length: 1000 }, () => lanes.next(always)!)
    assert.equal([...taken, ...more].filter(({ isRetry }) => isRetry).length, MAX_RETRIES)
  })

  it('are for the silent, too, where nothing else waits, as those before them end', () => {
    const lanes = new Lanes<number>()
    for (let n = 0; n < 1000; n++) {
      lanes.add(n, true)
    }
    const turns: Turn<number>[] = []
    for (let turn = lanes.next(always); turn !== undefined; turn = lanes.next(always)) {
      turns.push(turn)
    }
    assert.equal(turns.length, MAX_RETRIES)
    for (const turn of turns) {
      lanes.end(turn)
    }
    assert.equal(lanes.next(always)?.item, MAX_RETRIES)
  })
})
