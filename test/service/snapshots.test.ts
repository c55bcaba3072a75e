import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Logger } from '@libp2p/interface'
import { Snapshots } from '../../src/service/snapshots.ts'
import type { Table } from '../../src/store/store.ts'

const log = Object.assign(() => {}, { error: assert.fail }) as unknown as Logger
const table: Table = { records: () => [], statics: () => [], merge: () => ({ added: 0, removed: 0 }) }

it('a stop waits a second for a snapshot that is being written', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const inTime of [true, false]) {
    const writing = Promise.withResolvers<void>()
    let began = 0
    const compact = () => {
      began++
      return writing.promise
    }
    const snapshots = new Snapshots({ store: { compact }, table, clock: () => 0, log })
    snapshots.changed()
    t.mock.timers.tick(2000)
    assert.equal(began, 1)

    let over = false
    const last = snapshots.writeLast().then(() => {
      over = true
    })
    t.mock.timers.tick(999)
    await new Promise(setImmediate)
    assert.equal(over, false)
    if (inTime) {
      writing.resolve()
    } else {
      t.mock.timers.tick(1)
    }
    await last
    assert.equal(began, 1, 'nothing changed since')
    writing.resolve()
    await snapshots.stop()
  }
})
