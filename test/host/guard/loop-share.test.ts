import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { LoopShare, MAX_WAITING_BYTES, TURN_MS } from '../../../src/host/guard/loop-share.ts'

describe('a share of the event loop', () => {
  it('serves at once while there is time', () => {
    const share = new LoopShare(() => 0)
    const served: number[] = []
    share.take(1, () => served.push(1))
    share.take(1, () => served.push(2))
    assert.deepEqual(served, [1, 2])
  })

  it('serves the rest in later turns, in the order it came, with other work in between', async () => {
    let now = 0
    const share = new LoopShare(() => now)
    const served: number[] = []
    for (let name = 0; name < 4; name++) {
      share.take(1, () => {
        served.push(name)
        now += TURN_MS
      })
    }
    assert.deepEqual(served, [0])
    const seen: number[] = []
    while (served.length < 4) {
      await turn()
      seen.push(served.length)
    }
    assert.deepEqual(served, [0, 1, 2, 3])
    assert.deepEqual([...new Set(seen)].slice(-3), [2, 3, 4])
  })

  it('ends what follows from one before it serves the next', async () => {
    let now = 0
    const share = new LoopShare(() => now)
    const events: string[] = []
    share.take(1, () => {
      now += TURN_MS
    })
    for (const name of ['a', 'b']) {
      share.take(1, () => {
        events.push(name)
        void (async () => {
          for (let i = 0; i < 20; i++) {
            await undefined
          }
          events.push(`${name} is over`)
        })()
      })
    }
    while (events.length < 4) {
      await turn()
    }
    assert.deepEqual(events, ['a', 'a is over', 'b', 'b is over'])
  })

  it('holds no more than so many bytes back', () => {
    let now = 0
    const share = new LoopShare(() => now)
    let served = 0
    share.take(1, () => {
      now += TURN_MS
    })
    share.take(MAX_WAITING_BYTES, () => served++)
    assert.equal(served + 0, 0)
    share.take(1, () => served++)
    assert.equal(served + 0, 1)
  })
})
