import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { LoopShare, MAX_WAITING_BYTES, TURN_MS } from '../../../src/host/guard/loop-share.ts'

const HERE = ['1.2/16', '1.2.3/24', '1.2.3.4']

describe('a share of the event loop', () => {
  it('serves at once while there is time', () => {
    const share = new LoopShare(() => 0)
    const served: number[] = []
    share.take(HERE, 1, () => served.push(1))
    share.take(HERE, 1, () => served.push(2))
    assert.deepEqual(served, [1, 2])
  })

  it('serves the rest in later turns, in the order it came, with other work in between', async () => {
    let now = 0
    const share = new LoopShare(() => now)
    const served: number[] = []
    for (let name = 0; name < 4; name++) {
      share.take(HERE, 1, () => {
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
    share.take(HERE, 1, () => {
      now += TURN_MS
    })
    for (const name of ['a', 'b']) {
      share.take(HERE, 1, () => {
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
    share.take(HERE, 1, () => {
      now += TURN_MS
    })
    share.take(HERE, MAX_WAITING_BYTES, () => served++)
    assert.equal(served + 0, 0)
    share.take(HERE, 1, () => served++)
    assert.equal(served + 0, 1)
  })

  it('goes round by networks, however much one of them sends', async () => {
    let now = 0
    const share = new LoopShare(() => now)
    const served: string[] = []
    const take = (networks: readonly string[], name: string) =>
      share.take(networks, 1, () => {
        served.push(name)
        now += TURN_MS
      })
    for (let i = 0; i < 100; i++) {
      take(['1.2/16', '1.2.3/24', `1.2.3.${i % 4}`], `hog ${i}`)
    }
    take(['5.6/16', '5.6.7/24', '5.6.7.8'], 'newcomer 1')
    take(['5.6/16', '5.6.7/24', '5.6.7.8'], 'newcomer 2')
    take(['1.2/16', '1.2.9/24', '1.2.9.1'], 'neighbour')
    while (served.length < 103) {
      await turn()
    }
    // One was served at once; then each level takes turns.
    assert.deepEqual(
      served.slice(0, 5).toSorted(),
      ['hog 0', 'hog 1', 'neighbour', 'newcomer 1', 'newcomer 2'].toSorted(),
    )
    const ofOne = served.filter((name) => /^hog (?:\d*[02468])$/.test(name)).map((name) => Number(name.slice(4)))
    assert.deepEqual(
      ofOne.filter((i) => i % 4 === 0),
      ofOne.filter((i) => i % 4 === 0).toSorted((a, b) => a - b),
    )
  })

  it('tells how long was waited lately', async () => {
    let now = 0
    const share = new LoopShare(() => now)
    let served = 0
    for (let i = 0; i < 200; i++) {
      share.take(HERE, 1, () => {
        served++
        now += TURN_MS
      })
    }
    while (served < 200) {
      await turn()
    }
    const { p99, max } = share.waits
    // The last of 200 waited for 199 of them; two figures are kept.
    assert(Math.abs(max - 199 * TURN_MS) < 0.02 * max, `${max}`)
    assert(p99 < max && p99 > 0.9 * max, `${p99}`)
    now += 60_000
    assert.deepEqual(share.waits, { p99: 0, max: 0 })
  })
})
