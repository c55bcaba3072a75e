import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CLIENT_ROWS } from './client-rows.ts'

/** The long form is a week: `node test/lab/main.ts`. */
const DAYS = 0.04

describe('an hour of a client among liars', { concurrency: false }, () => {
  for (const name of ['first with 8 dead each', 'inbound crowd']) {
    it(name, { timeout: 60_000 }, async () => {
      const figures = await CLIENT_ROWS[name]!(DAYS)
      assert.deepEqual(
        figures.filter(({ ok }) => !ok),
        [],
      )
    })
  }
})
