import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { missesOf } from './judge.ts'
import { runLab } from './lab.ts'
import { scenarios } from './scenarios.ts'

/** The long form is a week: `node test/lab/main.ts`. */
const DAYS = 0.5

describe('half a day of churn and lies', { concurrency: false }, () => {
  for (const scenario of scenarios(DAYS)) {
    it(scenario.name, { timeout: 60_000 }, async () => {
      const census = await runLab(scenario)
      assert.deepEqual(missesOf(census, DAYS), [])
    })
  }
})
