import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ProofLagWatch } from '../../src/policy/proof-lag.ts'

const MINUTE = 60_000

it('proofs that do not keep up for half an hour are said once a day, with both counts', () => {
  const watch = new ProofLagWatch()
  const said: number[] = []
  for (let minute = 0; minute < 3 * 1440; minute++) {
    const message = watch.see({ living: 300_000, listed: 200_000 }, minute * MINUTE)
    if (message !== undefined) {
      said.push(minute)
      assert.match(message, /^200000 of 300000 living .*--proof-cpu-percent/)
    }
  }
  assert.deepEqual(said, [30, 30 + 1440, 30 + 2 * 1440])
})

it('a restart, a small table and proofs that keep up are no lag', () => {
  const watch = new ProofLagWatch()
  for (let minute = 0; minute < 120; minute++) {
    const restarting = { living: 100_000, listed: Math.min(100_000, 5000 * minute) }
    assert.equal(watch.see(restarting, minute * MINUTE), undefined)
    assert.equal(new ProofLagWatch().see({ living: 999, listed: 0 }, minute * MINUTE), undefined)
  }
})
