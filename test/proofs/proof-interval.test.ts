import assert from 'node:assert/strict'
import { it } from 'node:test'
import { byAge, JITTER, LONGEST, nextPart, SHORTEST } from '../../src/proofs/proof-interval.ts'
import { HOUR } from '../support/tables.ts'

const DAY = 24 * HOUR

it('the interval grows as the fourth root of the age, between its bounds', () => {
  assert.ok(Math.abs(byAge(2 ** 4 * 0.25 * HOUR) / byAge(0.25 * HOUR) - 2) < 1e-9)
  for (const age of [-HOUR, 0, 1, HOUR, DAY, 365 * DAY]) {
    for (const chance of [0, 0.5, 1]) {
      const part = nextPart(byAge(age), 0.5, () => chance)
      assert.ok(part >= SHORTEST - 1e-9 && part <= LONGEST + 1e-9, `${age} ${part}`)
    }
  }
})

/** Hazard and share of the living at an age, of Weibull sessions of 24 h on average; by steps of the logarithm of age. */
function* living(shape: number): Generator<{ age: number; share: number; hazard: number }> {
  const scale = DAY / { 0.4: 3.32335, 0.5: 2, 0.6: 1.50458 }[shape]!
  const step = 0.002
  for (let log = Math.log(1000); log < Math.log(scale) + 4 / shape; log += step) {
    const age = Math.exp(log)
    const share = (Math.exp(-((age / scale) ** shape)) * age * step) / DAY
    yield { age, share, hazard: (shape / scale) * (age / scale) ** (shape - 1) }
  }
}

for (const [shape, leastGain] of [
  [0.4, 0.22],
  [0.5, 0.15],
  [0.6, 0.1],
] as const) {
  it(`the interval by age has as many dials as a fixed one, and fewer dead, with sessions of shape ${shape}`, () => {
    let [dials, dead, fixedDead] = [0, 0, 0]
    for (const { age, share, hazard } of living(shape)) {
      const part = byAge(age)
      dials += share / part
      dead += share * hazard * part * (1 + JITTER ** 2 / 3)
      fixedDead += share * hazard
    }
    assert.ok(Math.abs(dials - 1) < 0.03, `${dials} of the dials`)
    assert.ok(1 - dead / fixedDead > leastGain, `${1 - dead / fixedDead} fewer dead`)
  })
}

it('intervals become alike as the dials become too few', () => {
  const middle = () => 0.5
  for (const [load, young, old] of [
    [0, byAge(0), byAge(DAY)],
    [0.8, byAge(0), byAge(DAY)],
    [1, byAge(DAY), byAge(DAY)],
    [3, byAge(DAY), byAge(DAY)],
  ] as const) {
    assert.deepEqual([nextPart(byAge(0), load, middle), nextPart(byAge(DAY), load, middle)], [young, old])
  }
  const between = nextPart(byAge(0), 0.9, middle)
  assert.ok(between > byAge(0) && between < byAge(DAY))
  assert.equal(
    nextPart(byAge(0), 1, () => 0),
    nextPart(byAge(0), 1, () => 1),
  )
})
