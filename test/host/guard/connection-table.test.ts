import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ConnectionLimits, ConnectionTable, SILENT_MS } from '../../../src/host/guard/connection-table.ts'
import { type GuardedSlot, networksOf } from '../../../src/host/guard/guarded-slot.ts'
import { CROWDED_IDLE_MS, FULL_IDLE_MS, IDLE_MS } from '../../../src/host/guard/quiet-connections.ts'
import { parseIp, scopeOf } from '../../../src/peer/ip.ts'

const LIMITS: ConnectionLimits = { open: 10, halfOpen: 4, perIp: 3, perSite: 4, perSubnet: 5 }

interface TestSlot extends GuardedSlot {
  open: number
  half: boolean
}

function slot(ip: string, since: number, also: Partial<TestSlot> = {}): TestSlot {
  const parsed = parseIp(ip)!
  const made: TestSlot = {
    networks: networksOf(parsed, scopeOf(parsed)),
    limited: true,
    since,
    heardAt: since,
    bytes: 0,
    waiting: 0,
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
    const table = tableOf(['1.2.3.4', '1.2.3.4', '1.2.3.5', '1.2.3.5'].map((ip) => slot(ip, 0)))
    assert.deepEqual(table.arrive(slot('1.2.3.4', 10), 10), {})
    assert.deepEqual(table.arrive(slot('1.2.3.4', 10), 10), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(slot('1.2.3.5', 10), 10), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(slot('1.2.4.7', 10), 10), {})
  })

  it('gives way to its own newcomers when one of it is idle', () => {
    const idle = slot('1.2.3.4', 0)
    const [busy, used] = [slot('1.2.3.4', 0, { open: 1, usedAt: 9000 }), slot('1.2.3.4', 0, { usedAt: 9000 })]
    const elsewhere = slot('9.9.9.9', 0)
    const table = tableOf([busy, idle, used, elsewhere])
    assert.deepEqual(table.arrive(slot('1.2.3.4', 10_000), 10_000), { instead: idle, because: 'idle_crowded' })
  })

  it('is a /64, a /56 and a /48 for IPv6', () => {
    const table = tableOf(['2a00:1:0:1::1', '2a00:1:0:1::2', '2a00:1:0:1::3'].map((ip) => slot(ip, 0)))
    assert.deepEqual(table.arrive(slot('2a00:1:0:1::4', 0), 0), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(slot('2a00:1:0:2::1', 0), 0), {})
    assert.deepEqual(table.arrive(slot('2a00:1:0:103::1', 0), 0), {})
    const fifth = table.arrive(slot('2a00:1:0:3::1', 0), 0)
    assert('because' in fifth && fifth.because === 'crowded')
    assert.deepEqual(table.arrive(slot('2a00:1:1::1', 0), 0), {})
  })

  it('has its newest hog give way to a neighbour that has at least two fewer', () => {
    const busy = { open: 1, usedAt: 10_000, askedAt: 10_000 }
    const hog = ['2a00:1:0:1::1', '2a00:1:0:1::2', '2a00:1:0:1::3'].map((ip) => slot(ip, 0, busy))
    const other = slot('2a00:1:0:2::1', 0, busy)
    const table = tableOf([...hog, other])
    assert.deepEqual(table.arrive(slot('2a00:1:0:2::1', 10_000), 10_000), { instead: hog[2], because: 'crowded' })
    table.leave(hog[2]!)
    assert.deepEqual(table.arrive(slot('2a00:1:0:2::1', 10_000), 10_000), { refusal: 'group_full' })
  })

  it('has no idle neighbour give way to one that has more connections', () => {
    const busy = { open: 1, usedAt: 10_000, askedAt: 10_000 }
    const lone = slot('1.2.3.5', 0, { usedAt: 0 })
    const table = tableOf([...['1.2.3.4', '1.2.3.4', '1.2.3.6', '1.2.3.6'].map((ip) => slot(ip, 0, busy)), lone])
    assert.deepEqual(table.arrive(slot('1.2.3.4', 10_000), 10_000), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(slot('1.2.3.7', 10_000), 10_000), { instead: lone, because: 'idle_crowded' })
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
    assert.deepEqual(table.arrive(slot('6.6.6.6', 500), 500), { instead: first, because: 'half_open_crowded' })
  })

  it('give way though they talk when their network has two more than that of the newcomer', () => {
    const table = new ConnectionTable<TestSlot>(LIMITS)
    const crowd = ['9.1.1.1', '9.2.1.1', '9.1.1.2', '9.1.1.3'].map((ip) => slot(ip, 0, { bytes: 20 }))
    for (const each of crowd) {
      table.arrive(each, 0)
    }
    assert.deepEqual(table.arrive(slot('5.5.5.5', 100), 100), { instead: crowd[3], because: 'crowded' })
    assert.deepEqual(table.arrive(slot('9.1.1.4', 100), 100), { refusal: 'half_open_full' })
  })

  it('are not silent while what they sent waits to be read', () => {
    const table = new ConnectionTable<TestSlot>(LIMITS)
    const waits = slot('1.1.1.1', 0, { waiting: 1 })
    for (const each of [waits, slot('2.2.2.2', 0), slot('3.3.3.3', 0), slot('4.4.4.4', 0)]) {
      table.arrive(each, 0)
    }
    assert.deepEqual(
      table.overdue(SILENT_MS).map(([{ networks }]) => networks.at(-1)),
      ['2.2.2.2', '3.3.3.3', '4.4.4.4'],
    )
    const place = table.arrive(slot('5.5.5.5', 500), 500)
    assert('instead' in place && place.instead !== waits)
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
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { instead: slots[4], because: 'idle_crowded' })
  })

  it('never cuts whoever has just asked, nor whoever still waits for an answer', () => {
    const slots = crowd(() => ({ usedAt: 58_500, askedAt: 58_500 }))
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { refusal: 'table_full' })
    slots[2]!.open = 1
    slots[2]!.usedAt = 50_000
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { refusal: 'table_full' })
    slots[2]!.open = 0
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { instead: slots[2], because: 'idle_crowded' })
  })

  it('gives way with one that has never used a stream', () => {
    const slots = crowd((i) => (i === 5 ? {} : { usedAt: 1900, askedAt: 1900 }))
    assert.deepEqual(newcomer(tableOf(slots), 2000), { instead: slots[5], because: 'idle_crowded' })
  })

  it('is hasty only when there is nobody else', () => {
    const slots = crowd((i) => ({ usedAt: i === 3 ? 57_000 : 59_000, askedAt: 59_000 }))
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { instead: slots[3], because: 'idle_crowded' })
    slots[8]!.usedAt = 54_000
    assert.deepEqual(newcomer(tableOf(slots), 60_000), { instead: slots[8], because: 'idle_crowded' })
  })

  it('gives way with the newest of the most crowded network, however busy, and with none of another', () => {
    const slots = crowd(() => ({ open: 1, usedAt: 59_900, askedAt: 59_900 }))
    for (const [i, ip] of [
      [3, '7.7.7.1'],
      [5, '7.7.8.1'],
      [6, '7.7.8.2'],
      [8, '7.7.9.1'],
    ] as const) {
      slots[i] = slot(ip, 0, { open: 1, usedAt: 59_900, askedAt: 59_900 })
    }
    const table = tableOf(slots)
    // The /16 has four, the /24 inside it two.
    assert.deepEqual(newcomer(table, 60_000), { instead: slots[6], because: 'crowded' })
    table.leave(slots[6]!)
    const fromTheCrowd = slot('7.7.10.1', 60_000)
    table.arrive(fromTheCrowd, 60_000)
    assert.deepEqual(table.settle(fromTheCrowd, 60_000), { refusal: 'table_full' })
  })

  it('does not give an idler of a less crowded network to one of a crowd', () => {
    const slots = crowd((i) => (i === 0 ? { usedAt: 0 } : { open: 1, usedAt: 59_900, askedAt: 59_900 }))
    slots[4] = slot('7.7.7.1', 0, { open: 1, usedAt: 59_900, askedAt: 59_900 })
    slots[5] = slot('7.7.7.2', 0, { open: 1, usedAt: 59_900, askedAt: 59_900 })
    const table = tableOf(slots)
    const fromTheCrowd = slot('7.7.7.3', 60_000)
    table.arrive(fromTheCrowd, 60_000)
    assert.deepEqual(table.settle(fromTheCrowd, 60_000), { refusal: 'table_full' })
    assert.deepEqual(newcomer(table, 60_000), { instead: slots[0], because: 'idle_crowded' })
  })

  it('of busy connections of one /32 has room for each newcomer of another', () => {
    const busy = { open: 1, usedAt: 59_900, askedAt: 59_900 }
    const limits = { open: 4000, perIp: 8, perSite: 16, perSubnet: 64, halfOpen: 1024 }
    const slots = Array.from({ length: 4000 }, (_, i) =>
      slot(`2a00:5:${(1 + (i >> 6)).toString(16)}:${i & 7}00::1`, 0, busy),
    )
    const table = tableOf(slots, limits)
    const gone = new Set<TestSlot>()
    for (let i = 0; i < 1000; i++) {
      const each = slot(`2a00:${(16 + i).toString(16)}::1`, 60_000, { ...busy, open: 0 })
      assert.deepEqual(table.arrive(each, 60_000), {})
      const place = table.settle(each, 60_000)
      assert('instead' in place && place.because === 'crowded' && slots.includes(place.instead))
      assert(!gone.has(place.instead))
      gone.add(place.instead)
      table.leave(place.instead)
    }
  })

  it('gives way with one that keeps a stream busy for ever', () => {
    const slots = crowd((i) => ({ open: 1, usedAt: 100_000, askedAt: i === 7 ? 0 : 99_000 }))
    assert.deepEqual(newcomer(tableOf(slots), 100_000), { instead: slots[7], because: 'idle_crowded' })
  })
})

describe('idle connections', () => {
  const idlers = (count: number) =>
    Array.from({ length: count }, (_, i) => slot(`${i + 1}.0.0.1`, 0, { usedAt: i, waiting: 0 }))

  it('may stay for five minutes while the table is under half full', () => {
    const only = slot('1.1.1.1', 0, { usedAt: 500 })
    const table = tableOf([only])
    assert.deepEqual(table.overdue(500 + IDLE_MS - 1), [])
    assert.deepEqual(table.overdue(500 + IDLE_MS), [[only, 'idle']])
    only.open = 1
    assert.deepEqual(table.overdue(500 + IDLE_MS), [])
    assert.equal(IDLE_MS, 300_000)
  })

  it('may stay for less from there up, and for one minute when it is full', () => {
    const overdueAt = (count: number, now: number) => tableOf(idlers(count)).overdue(now).length
    assert.equal(overdueAt(5, IDLE_MS - 1), 0)
    const threeFifths = IDLE_MS - (IDLE_MS - FULL_IDLE_MS) / 5
    assert.equal(overdueAt(6, threeFifths - 1), 0)
    assert.equal(overdueAt(6, threeFifths), 1)
    // Without what goes early because it is too many.
    const reasons = (now: number) =>
      tableOf(idlers(10))
        .overdue(now)
        .map(([, reason]) => reason)
    assert.equal(reasons(FULL_IDLE_MS - 1).filter((reason) => reason === 'idle').length, 0)
    assert.equal(reasons(FULL_IDLE_MS + 10).filter((reason) => reason === 'idle').length, 10)
  })

  it('go early from four fifths of the table up, as many as are too many', () => {
    const slots = idlers(10)
    const gone = tableOf(slots).overdue(CROWDED_IDLE_MS + 10)
    assert.deepEqual(gone, [
      [slots[0], 'idle_crowded'],
      [slots[1], 'idle_crowded'],
    ])
    assert.deepEqual(tableOf(slots.slice(0, 8)).overdue(CROWDED_IDLE_MS + 10), [])
  })

  it('are not idle while what they sent waits to be read', () => {
    const [waits] = idlers(1)
    waits!.waiting = 1
    assert.deepEqual(tableOf([waits!]).overdue(IDLE_MS), [])
  })
})
