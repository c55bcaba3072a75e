import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AskSchedule, BUDGET_WINDOW_MS, EARLY_BUDGET } from '../../../src/client/discovery/ask-schedule.ts'

const REFRESH = 5 * 60_000

describe('the schedule of one bootstrap', () => {
  /** The pauses of a node that wants more, each answered at once, with the middle of each window. */
  function pauses(count: number, { random = () => 0.5, refreshInterval = REFRESH } = {}): number[] {
    const schedule = new AskSchedule({ refreshInterval, random })
    let now = 1000
    return Array.from({ length: count }, () => {
      schedule.exchanged(now)
      schedule.answered(now)
      const at = schedule.nextAt({ early: true, exchanges: 1 })
      const pause = at - now
      now = at
      return pause
    })
  }

  it('doubles the pause from half a second up to the refresh', () => {
    assert.deepEqual(pauses(11), [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000])
  })

  it('never waits longer than the refresh, however short that is', () => {
    assert.ok(pauses(20, { refreshInterval: 100 }).every((pause) => pause <= 120))
  })

  it('waits for the refresh when nothing is wanted', () => {
    const schedule = new AskSchedule({ refreshInterval: REFRESH, random: () => 0.5 })
    schedule.exchanged(0)
    schedule.answered(0)
    assert.equal(schedule.nextAt({ early: false, exchanges: 1 }), REFRESH)
  })

  it('begins anew at most once a minute, however often peers are lost', () => {
    const schedule = new AskSchedule({ refreshInterval: REFRESH, random: () => 0.5 })
    let asks = 0
    for (let now = 0; now < 60 * 60_000; now += 1000) {
      if (now >= schedule.nextAt({ early: true, exchanges: 1 })) {
        asks++
        schedule.exchanged(now)
        schedule.answered(now)
      }
      schedule.restart(now)
    }
    assert.ok(asks <= 60 * EARLY_BUDGET, `${asks} asks in an hour`)
    assert.ok(asks > 60, 'but it does ask again')
  })

  it('gives the keeper half a second to replace a lost peer', () => {
    const schedule = new AskSchedule({ refreshInterval: REFRESH, random: () => 0.5 })
    schedule.exchanged(0)
    schedule.answered(0)
    schedule.restart(100_000)
    assert.equal(schedule.nextAt({ early: true, exchanges: 1 }), 100_500)
  })

  it('keeps early asks to the budget, and retryAfter, whatever happens', () => {
    const step = fc.record({
      kind: fc.constantFrom('answered', 'failed', 'restart', 'soon'),
      registers: fc.boolean(),
      retryAfter: fc.integer({ min: 0, max: 600_000 }),
    })
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 100 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (steps, dice) => {
          const schedule = new AskSchedule({ refreshInterval: REFRESH, random: () => dice.next().value! })
          const exchanges: number[] = []
          let now = 0
          let notBefore = 0
          let failedAt = Number.NEGATIVE_INFINITY
          const round = (count: number) => {
            for (let i = 0; i < count; i++) {
              schedule.exchanged(now)
              exchanges.push(now)
            }
          }
          round(2)
          schedule.answered(now)
          for (const { kind, registers, retryAfter } of steps) {
            if (kind === 'restart' || kind === 'soon') {
              schedule[kind](now)
              continue
            }
            const count = registers ? 2 : 1
            now = Math.max(now, schedule.nextAt({ early: true, exchanges: count }))
            assert.ok(now >= notBefore, 'retryAfter is never shortened')
            round(count)
            if (kind === 'answered') {
              schedule.answered(now)
              notBefore = 0
            } else {
              notBefore = now + retryAfter
              failedAt = now
              assert.ok(schedule.failed(now, retryAfter) >= retryAfter)
            }
            // What failed is tried again by the back-off, beside the budget.
            if (failedAt <= now - BUDGET_WINDOW_MS) {
              const window = exchanges.filter((at) => at > now - BUDGET_WINDOW_MS)
              assert.ok(window.length <= EARLY_BUDGET + 1, `${window.length} in a minute`)
            }
          }
        },
      ),
    )
  })
})
