import assert from 'node:assert/strict'
import { it } from 'node:test'
import { proofCost } from '../../src/proofs/proof-cost.ts'
import { ProofPace } from '../../src/proofs/proof-pace.ts'
import { NOW } from '../support/tables.ts'

function begunIn(ms: number, cpuShare: number, cost: number, ahead = 0): number {
  let now = NOW
  const pace = new ProofPace({ cpuShare, cost: () => cost, clock: () => now })
  let begun = 0
  for (let n = 0; n < ahead; n++) {
    pace.take()
  }
  for (; now < NOW + ms; now += 250) {
    while (pace.isOpen) {
      pace.take()
      begun++
    }
  }
  return begun
}

it('dial-backs take their share of a core, whatever one costs', () => {
  for (const [share, cost] of [
    [0.5, 1.5],
    [0.5, 3],
    [0.01, 1.5],
    [2, 1],
  ] as const) {
    const used = (begunIn(60_000, share, cost) * cost) / 60_000
    assert.ok(Math.abs(used / share - 1) < 0.03, `${used} of a core, ${share} allowed`)
  }
})

it('those that went ahead of their turn count, too', () => {
  assert.ok(Math.abs(begunIn(60_000, 0.5, 1.5) - begunIn(60_000, 0.5, 1.5, 1000) - 1000) <= 170)
})

it('what one costs is measured, in the order of a millisecond', () => {
  const costs = [proofCost(), proofCost(), proofCost()]
  assert.ok(Math.min(...costs) > 0.3 && Math.min(...costs) < 15, `${costs}`)
})
