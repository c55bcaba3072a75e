import assert from 'node:assert/strict'
import { test } from 'node:test'
import { snapshotSchedule } from '../../src/store/snapshot-schedule.ts'

/** A schedule on a clock that is moved by hand. */
function harness({ takes = 0 }: { takes?: number } = {}) {
  let now = 1_000_000
  let timer: { at: number; callback: () => void } | undefined
  let next: PromiseWithResolvers<void> | undefined
  const state = { started: [] as number[], failures: [] as number[], takes, fail: false }
  const schedule = snapshotSchedule({
    clock: () => now,
    compact: async () => {
      state.started.push(now)
      next = Promise.withResolvers()
      await next.promise
    },
    onFailure: (_error, retryInMs) => state.failures.push(retryInMs),
    setTimer: (callback, ms) => {
      assert.equal(timer, undefined, 'one timer at a time')
      const mine = { at: now + ms, callback }
      timer = mine
      return () => {
        timer = timer === mine ? undefined : timer
      }
    },
  })
  /** Lets the running snapshot end after `takes` ms. */
  async function finish(): Promise<void> {
    now += state.takes
    const running = next!
    next = undefined
    if (state.fail) {
      running.reject(new Error('disk full'))
    } else {
      running.resolve()
    }
    await new Promise(setImmediate)
  }
  /** Moves the clock to the timer and lets it fire. Returns how long that was. */
  function fire(): number {
    assert(timer !== undefined, 'a timer is set')
    const { at, callback } = timer
    const waited = at - now
    timer = undefined
    now = at
    callback()
    return waited
  }
  return { schedule, state, fire, finish, hasTimer: () => timer !== undefined }
}

test('nothing is scheduled until something changed; then it is written 2 s later, once', async () => {
  const { schedule, state, fire, finish, hasTimer } = harness()
  assert.equal(hasTimer(), false)
  schedule.changed()
  schedule.changed()
  assert.equal(schedule.pending, true)
  assert.equal(fire(), 2000)
  assert.equal(schedule.pending, false)
  await finish()
  assert.equal(hasTimer(), false)
  assert.equal(state.started.length, 1)
  await schedule.stop()
})

test('what changes while a snapshot is written waits for the next one, and two never run at once', async () => {
  const { schedule, state, fire, finish, hasTimer } = harness()
  schedule.changed()
  fire()
  schedule.changed()
  assert.equal(hasTimer(), false)
  await finish()
  assert.equal(fire(), 2000)
  await finish()
  assert.equal(state.started.length, 2)
})

test('snapshots that take long come at most every 20 times as long', async () => {
  const { schedule, state, fire, finish } = harness({ takes: 5000 })
  for (let n = 0; n < 3; n++) {
    schedule.changed()
    fire()
    await finish()
  }
  assert.deepEqual([state.started[1]! - state.started[0]!, state.started[2]! - state.started[1]!], [100_000, 100_000])
})

test('a snapshot that fails is tried again after 1, 2, 4 … 60 s, without another change', async () => {
  const { schedule, state, fire, finish, hasTimer } = harness()
  state.fail = true
  schedule.changed()
  fire()
  for (let n = 0; n < 8; n++) {
    await finish()
    assert.equal(schedule.pending, true)
    assert.equal(fire(), state.failures.at(-1))
  }
  assert.deepEqual(
    state.failures,
    [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000),
  )
  state.fail = false
  await finish()
  assert.equal(hasTimer(), false)
  state.fail = true
  schedule.changed()
  fire()
  await finish()
  assert.equal(state.failures.at(-1), 1000)
})

test('a snapshot that failed comes as after a change once what made it fail is over', async () => {
  const { schedule, state, fire, finish, hasTimer } = harness()
  schedule.resume()
  assert.equal(hasTimer(), false, 'there is nothing to write')
  state.fail = true
  schedule.changed()
  fire()
  for (let n = 0; n < 5; n++) {
    await finish()
    fire()
  }
  await finish()
  schedule.resume()
  assert.equal(fire(), 2000)
  await finish()
  assert.equal(state.failures.at(-1), 1000, 'the retries begin anew')

  state.takes = 5000
  fire()
  await finish()
  schedule.resume()
  assert.equal(fire(), 95_000, 'it keeps its pace')
  await finish()
  await schedule.stop()
})

test('stopping waits for the snapshot that runs and starts no other', async () => {
  const { schedule, fire, finish, hasTimer } = harness()
  schedule.changed()
  fire()
  schedule.changed()
  let stopped = false
  const stopping = schedule.stop().then(() => {
    stopped = true
  })
  await new Promise(setImmediate)
  assert.equal(stopped, false)
  await finish()
  await stopping
  schedule.changed()
  assert.equal(hasTimer(), false)
  assert.equal(schedule.pending, true, 'so that whoever stops it knows to write a last one')
})

test('stopping cancels a snapshot that was to come', async () => {
  const { schedule, hasTimer } = harness()
  schedule.changed()
  await schedule.stop()
  assert.equal(hasTimer(), false)
})
