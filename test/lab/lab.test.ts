import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drawFirstPages, missesOfFirstPages } from './first-page.ts'
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

it('who never renews, and tries many identities, has no more of the first pages than of the network groups', async () => {
  const result = await drawFirstPages({ hours: 3, identities: 100, readers: 10_000 })
  assert.deepEqual(missesOfFirstPages(result), [], JSON.stringify(result))
})
