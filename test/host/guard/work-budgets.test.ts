import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networksOf } from '../../../src/host/guard/guarded-slot.ts'
import { WORK_BUDGETS, WorkBudgets } from '../../../src/host/guard/work-budgets.ts'
import { parseIp } from '../../../src/peer/ip.ts'

/** About one stream with one request. */
const REQUEST = 60
const SECONDS = 120

type Spend = ReturnType<WorkBudgets['of']>

function connectionsOf(budgets: WorkBudgets, text: string, count: number): Spend[] {
  const networks = networksOf(parseIp(text)!, 'public')
  return Array.from({ length: count }, () => budgets.of({ networks, limited: true }))
}

/** What the connections spend that take all they can, after the bursts; a tenth of a second at a time. */
function spend(hogs: readonly Spend[], beside: (now: number) => void = () => {}): number {
  let spent = 0
  for (let now = 0; now < SECONDS * 1000; now += 100) {
    beside(now)
    for (const hog of hogs) {
      while (hog(REQUEST, now)) {
        spent += now < (SECONDS * 1000) / 2 ? 0 : REQUEST
      }
    }
  }
  return spent / (SECONDS / 2)
}

describe('the work of connections', () => {
  it('is budgeted by address and by subnet, however many connections they have', () => {
    const { ip, subnet } = WORK_BUDGETS
    const one = spend(connectionsOf(new WorkBudgets(), '1.2.3.4', 8))
    assert(Math.abs(one - ip.perSecond) < 0.05 * ip.perSecond, `${one}`)
    const budgets = new WorkBudgets()
    const all = spend(Array.from({ length: 8 }, (_, i) => connectionsOf(budgets, `1.2.3.${i}`, 8)).flat())
    assert(Math.abs(all - subnet.perSecond) < 0.05 * subnet.perSecond, `${all}`)
    const v6 = new WorkBudgets()
    const site = spend(Array.from({ length: 8 }, (_, i) => connectionsOf(v6, `2a00:1:1:${i}00::1`, 8)).flat())
    assert(Math.abs(site - subnet.perSecond) < 0.05 * subnet.perSecond, `${site}`)
  })

  for (const [of, hogs] of [
    ['of an address', ['1.2.3.4']],
    ['of a subnet', ['1.2.3.5', '1.2.3.6', '1.2.3.7', '1.2.3.8']],
  ] as const) {
    it(`leaves a neighbour ${of} its share`, () => {
      const budgets = new WorkBudgets()
      const [neighbour] = connectionsOf(budgets, '1.2.3.4', 1)
      let [asked, served] = [0, 0]
      spend(
        hogs.flatMap((hog) => connectionsOf(budgets, hog, 7)),
        (now) => {
          if (now % 1000 === 0) {
            asked++
            served += neighbour!(REQUEST, now) ? 1 : 0
          }
        },
      )
      assert.equal(served, asked)
    })
  }

  it('has no budget together in a private range, where a test network may be one machine', () => {
    const budgets = new WorkBudgets()
    const of = budgets.of({ networks: networksOf(parseIp('127.0.0.1')!, 'loopback'), limited: false })
    assert.equal(of(1e9, 0), true)
  })
})
