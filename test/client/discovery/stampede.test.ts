import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BACK_OFF } from '../../../src/client/discovery/ask-schedule.ts'
import { Session } from '../../../src/client/discovery/bootstrap-session.ts'
import { virtualTime } from '../../support/virtual-time.ts'
import { fakeClient } from './fake-sessions.ts'

const CLIENTS = 1000

/** mulberry32: the same thousand clients each time. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('a thousand clients that lose their bootstrap', () => {
  for (const { outage, together } of [
    { outage: 20 * 60_000, together: true },
    { outage: 20 * 60_000, together: false },
    { outage: 3 * 60_000, together: true },
  ]) {
    it(`come back evenly after ${outage / 60_000} minutes, having lost it ${together ? 'at once' : 'one by one'}`, async () => {
      const time = virtualTime()
      const random = seededRandom(7)
      const clients = Array.from({ length: CLIENTS }, () => {
        const fake = fakeClient(time.now)
        const session = new Session({
          client: fake.client,
          addresses: () => ['/ip4/0.0.0.0/tcp/4001'],
          ttl: 7_200_000,
          refreshInterval: 5 * 60_000,
          // As a node that finds too few peers: the schedule that asks most.
          wantsMore: () => true,
          scheduler: time,
          random,
          onAnswer: () => {},
          onOutcomes: () => {},
          onFailure: () => {},
        })
        return { ...fake, session }
      })
      for (const { state, session } of clients) {
        state.up = !together
        session.start()
      }
      await time.advance(10 * 60_000)
      for (const { state } of clients) {
        state.up = false
        state.listed = false
      }
      await time.advance(outage)

      for (const { state } of clients) {
        state.up = true
      }
      const returned = time.now()
      // One more refresh: those that had not yet noticed are served too.
      await time.advance(7 * 60_000)
      const arrivals = clients.map(({ calls }) => calls.find(({ at }) => at > returned)!.at - returned)
      assert.ok(
        clients.every(({ state, session }) => state.listed && session.failures === 0),
        'every one is served',
      )

      const perSecond = Map.groupBy(arrivals, (at) => Math.floor(at / 1000))
      const peak = Math.max(...[...perSecond.values()].map(({ length }) => length))
      const mean = CLIENTS / (BACK_OFF.most / 1000)
      assert.ok(peak <= 3 * mean, `${peak} in one second, ${mean.toFixed(1)} on average`)
      for (const { session } of clients) {
        await session.stop({ unregister: false })
      }
    })
  }
})
