import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type ConnectionLimits,
  ConnectionTable,
  CROWDED_IDLE_MS,
  type GuardedSlot,
  groupsOf,
  IDLE_MS,
  SILENT_MS,
} from '../../../src/host/guard/connection-table.ts'
import { parseIp } from '../../../src/peer/ip.ts'

const LIMITS: ConnectionLimits = { open: 10, halfOpen: 4, perIp: 3, perSubnet: 5 }

interface TestSlot extends GuardedSlot {
  open: number
  half: boolean
}

function slot(ip: string, since: number, also: Partial<TestSlot> = {}): TestSlot {
  const groups = groupsOf(parseIp(ip)!)
  const made: TestSlot = {
    groups,
    limited: true,
    since,
    heardAt: since,
    bytes: 0,
    open: 0,
    half: false,
    streams: () => made.open,
    unfinished: () => made.half,
  }
  return Object.assign(made, also)
}

/** A table with these connections open, all of them since 0. */
function tableOf(slots: readonly TestSlot[], limits: Partial<ConnectionLimits> = {}): ConnectionTable<TestSlot> {
  const table = new ConnectionTable<TestSlot>({ ...LIMITS, ...limits })
  for (const each of slots) {
    assert.deepEqual(table.arrive(each, 0), {})
    assert.deepEqual(table.settle(each, 0), {})
  }
  return table
}

describe('a group of public addresses', () => {
  it('has room for so many, and the next address has its own', () => {
    const table = tableOf(['1.2.3.4', '1.2.3.4', '1.2.3.4'].map((ip) => slot(ip, 0)))
    assert.deepEqual(table.arrive(slot('1.2.3.4', 10), 10), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(slot('1.2.3.5', 10), 10), {})
    assert.deepEqual(table.arrive(slot('1.2.3.6', 10), 10), {})
    assert.deepEqual(table.arrive(slot('1.2.3.7', 10), 10), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(slot('1.2.4.7', 10), 10), {})
  })

  it('gives way to its own newcomers when one of it is idle', () => {
    const idle = slot('1.2.3.4', 0)
    const [busy, used] = [slot('1.2.3.4', 0, { open: 1, usedAt: 9000 }), slot('1.2.3.4', 0, { usedAt: 9000 })]
    const elsewhere = slot('9.9.9.9', 0)
    const table = tableOf([busy, idle, used, elsewhere])
    assert.deepEqual(table.arrive(slot('1.2.3.4', 10_000), 10_000), { instead: idle })
  })

  it('is a /56 and a /48 for IPv6', () => {
    const table = tableOf(['2001:4860:0:1::1', '2001:4860:0:2::1', '2001:4860:0:ff::1'].map((ip) => slot(ip, 0)))
    assert.deepEqual(table.arrive(slot('2001:4860:0:3::1', 0), 0), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(slot('2001:4860:0:103::1', 0), 0), {})
  })

  it('has no limit in a private range, where a whole test network may be one machine', () => {
    const table = tableOf([])
    for (let i = 0; i < LIMITS.open; i++) {
      const each = slot('127.0.0.1', 0, { limited: false })
      assert.deepEqual(table.arrive(each, 0), {})
      assert.deepEqual(table.settle(each, 0), {})
    }
  })

  it('has its room back when a connection is gone', () => {
    const three = [slot('1.2.3.4', 0), slot('1.2.3.4', 0), slot('1.2.3.4', 0)]
    const table = tableOf(three)
    table.leave(three[0]!)
    table.leave(three[0]!)
    assert.deepEqual(table.arrive(slot('1.2.3.4', 0), 0), {})
    assert.deepEqual(table.arrive(slot('1.2.3.4', 0), 0), { refusal: 'group_full' })
  })
})

describe('half-open sockets', () => {
  it('give way: the silent first, of the most crowded network, the longest there', () => {
    const table = new ConnectionTable<TestSlot>(LIMITS)
    const [alone, talks, first, second] = [
      slot('5.5.5.5', 0),
      slot('1.2.3.4', 10, { bytes: 20 }),
      slot('1.2.3.4', 20),
      slot('1.2.3.5', 30),
    ]
    for (const each of [alone, talks, first, second]) {
      table.arrive(each, 30)
    }
    assert.deepEqual(table.arrive(slot('6.6.6.6', 500), 500), { instead: first })
  })

  it('do not give way while they are new', () => {
    const table = new ConnectionTable<TestSlot>(LIMITS)
    for (const ip of ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4']) {
      table.arrive(slot(ip, 0), 0)
    }
    assert.deepEqual(table.arrive(slot('5.5.5.5', 100), 100), { refusal: 'half_open_full' })
  })

  it('are overdue after a silence, and a byte starts it anew', () => {
    const table = new ConnectionTable<TestSlot>(LIMITS)
    const [silent, talks] = [slot('1.1.1.1', 0), slot('2.2.2.2', 0, { heardAt: 100 })]
    table.arrive(silent, 0)
    table.arrive(talks, 0)
    assert.deepEqual(table.overdue(SILENT_MS - 1), [])
    assert.deepEqual(table.overdue(SILENT_MS), [[silent, 'silent']])
  })

  it('are not alone: so is who stops in the middle of a frame', () => {
    const half = slot('1.1.1.1', 0, { half: true })
    const table = tableOf([half, slot('2.2.2.2', 0)])
    assert.deepEqual(table.overdue(SILENT_MS - 1), [])
    assert.deepEqual(table.overdue(SILENT_MS), [[half, 'silent']])
  })

  it('push nobody out of the table of connections', () => {
    const idlers = Array.from({ length: 10 }, (_, i) => slot(`${i + 1}.0.0.1`, 0))
    const table = tableOf(idlers)
    assert.deepEqual(table.arrive(slot('99.0.0.1', 100_000), 100_000), {})
    assert.equal(table.open, 10)
  })
})

describe('a full table', () => {
  const newcomer = (table: ConnectionTable<TestSlot>, now: number) => {
    const each = slot('99.0.0.1', now)
    table.arrive(each, now)
    return table.settle(each, now)
  }
  const crowd = (also: (i: number) => Partial<TestSlot>) =>
    Array.from({ length: 10 }, (_, i) => slot(`${i + 1}.0.0.1`, 0, { limited: false, ...also(i) }))

  it('gives way with an idler of the most crowded network, the quietest', () => {
    const slots = crowd((i) => ({ usedAt: 1000 + i }))
    slots[3] = slot('7.7.7.1', 0, { usedAt: 2000 })
    slots[4] = slot('7.7.7.2', 0, { usedAt: 1500 })
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { instead: slots[4] })
  })

  it('never cuts whoever has just asked, nor whoever still waits for an answer', () => {
    const slots = crowd(() => ({ usedAt: 58_500, askedAt: 58_500 }))
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { refusal: 'table_full' })
    slots[2]!.open = 1
    slots[2]!.usedAt = 50_000
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { refusal: 'table_full' })
    slots[2]!.open = 0
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { instead: slots[2] })
  })

  it('gives way with one that has never used a stream', () => {
    const slots = crowd((i) => (i === 5 ? {} : { usedAt: 1900, askedAt: 1900 }))
    assert.deepEqual(newcomer(tableOf(slots), 2000), { instead: slots[5] })
  })

  it('is hasty only when there is nobody else', () => {
    const slots = crowd((i) => ({ usedAt: i === 3 ? 57_000 : 59_000, askedAt: 59_000 }))
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { instead: slots[3] })
    slots[8]!.usedAt = 54_000
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { instead: slots[8] })
  })

  it('gives way with one that keeps a stream busy for ever', () => {
    const slots = crowd((i) => ({ open: 1, usedAt: 100_000, askedAt: i === 7 ? 0 : 99_000 }))
    assert.deepEqual(newcomer(tableOf(slots), 100_000), { instead: slots[7] })
  })
})

describe('idle connections', () => {
  it('may stay for long while there is room', () => {
    const only = slot('1.1.1.1', 0, { usedAt: 500 })
    const table = tableOf([only])
    assert.deepEqual(table.overdue(500 + IDLE_MS - 1), [])
    assert.deepEqual(table.overdue(500 + IDLE_MS), [[only, 'idle']])
    only.open = 1
    assert.deepEqual(table.overdue(500 + IDLE_MS), [])
  })

  it('go early from four fifths of the table up, as many as are too many', () => {
    const slots = Array.from({ length: 10 }, (_, i) => slot(`${i + 1}.0.0.1`, 0, { usedAt: i }))
    const gone = tableOf(slots).overdue(CROWDED_IDLE_MS + 10)
    assert.deepEqual(gone, [
      [slots[0], 'idle_crowded'],
      [slots[1], 'idle_crowded'],
    ])
    assert.deepEqual(tableOf(slots.slice(0, 8)).overdue(CROWDED_IDLE_MS + 10), [])
  })
})
