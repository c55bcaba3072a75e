import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runLab } from './lab.ts'
import { scenarios } from './scenarios.ts'

/** The long form is a week: `node test/lab/main.ts`. */
const DAYS = 0.5

describe('half a day of churn and lies', { concurrency: false }, () => {
  for (const scenario of scenarios(DAYS)) {
    it(scenario.name, { timeout: 60_000 }, async () => {
      const census = await runLab(scenario)
      assert.ok(
        census.answers >= DAYS * 24 * 60 - 1 && census.addresses > 100 * census.answers,
        'it was asked and it answered',
      )
      assert.ok(census.lies > 1000)
      assert.equal(census.planted, 0)
      assert.equal(census.believed, 0)
      assert.ok(census.longestDead > 0 && census.longestDead <= 20 * 60_000, `${census.longestDead}`)
      assert.ok(census.recall >= 0.98, `${census.recall}`)
      assert.ok(census.longestUnseen <= 30, `${census.longestUnseen}`)
      if (scenario.name.startsWith('24 h')) {
        assert.ok(census.alive >= 0.99, `${census.alive}`)
      }
    })
  }
})
