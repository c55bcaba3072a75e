import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type ConnectionLimits,
  ConnectionTable,
  CROWDED_IDLE_MS,
  groupsOf,
  IDLE_MS,
  type Seat,
  SILENT_MS,
} from '../../../src/host/guard/connection-table.ts'
import { parseIp } from '../../../src/peer/ip.ts'

const LIMITS: ConnectionLimits = { open: 10, halfOpen: 4, perIp: 3, perSubnet: 5 }

interface TestSeat extends Seat {
  open: number
  half: boolean
}

function seat(ip: string, since: number, also: Partial<TestSeat> = {}): TestSeat {
  const groups = groupsOf(parseIp(ip)!)
  const made: TestSeat = {
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
function tableOf(seats: readonly TestSeat[], limits: Partial<ConnectionLimits> = {}): ConnectionTable<TestSeat> {
  const table = new ConnectionTable<TestSeat>({ ...LIMITS, ...limits })
  for (const each of seats) {
    assert.deepEqual(table.arrive(each, 0), {})
    assert.deepEqual(table.settle(each, 0), {})
  }
  return table
}

describe('a group of public addresses', () => {
  it('has room for so many, and the next address has its own', () => {
    const table = tableOf(['1.2.3.4', '1.2.3.4', '1.2.3.4'].map((ip) => seat(ip, 0)))
    assert.deepEqual(table.arrive(seat('1.2.3.4', 10), 10), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(seat('1.2.3.5', 10), 10), {})
    assert.deepEqual(table.arrive(seat('1.2.3.6', 10), 10), {})
    assert.deepEqual(table.arrive(seat('1.2.3.7', 10), 10), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(seat('1.2.4.7', 10), 10), {})
  })

  it('gives way to its own newcomers when one of it is idle', () => {
    const idle = seat('1.2.3.4', 0)
    const [busy, used] = [seat('1.2.3.4', 0, { open: 1, usedAt: 9000 }), seat('1.2.3.4', 0, { usedAt: 9000 })]
    const elsewhere = seat('9.9.9.9', 0)
    const table = tableOf([busy, idle, used, elsewhere])
    assert.deepEqual(table.arrive(seat('1.2.3.4', 10_000), 10_000), { instead: idle })
  })

  it('is a /56 and a /48 for IPv6', () => {
    const table = tableOf(['2001:4860:0:1::1', '2001:4860:0:2::1', '2001:4860:0:ff::1'].map((ip) => seat(ip, 0)))
    assert.deepEqual(table.arrive(seat('2001:4860:0:3::1', 0), 0), { refusal: 'group_full' })
    assert.deepEqual(table.arrive(seat('2001:4860:0:103::1', 0), 0), {})
  })

  it('has no limit in a private range, where a whole test network may be one machine', () => {
    const table = tableOf([])
    for (let i = 0; i < LIMITS.open; i++) {
      const each = seat('127.0.0.1', 0, { limited: false })
      assert.deepEqual(table.arrive(each, 0), {})
      assert.deepEqual(table.settle(each, 0), {})
    }
  })

  it('has its room back when a connection is gone', () => {
    const three = [seat('1.2.3.4', 0), seat('1.2.3.4', 0), seat('1.2.3.4', 0)]
    const table = tableOf(three)
    table.leave(three[0]!)
    table.leave(three[0]!)
    assert.deepEqual(table.arrive(seat('1.2.3.4', 0), 0), {})
    assert.deepEqual(table.arrive(seat('1.2.3.4', 0), 0), { refusal: 'group_full' })
  })
})

describe('half-open sockets', () => {
  it('give way: the silent first, of the most crowded network, the longest there', () => {
    const table = new ConnectionTable<TestSeat>(LIMITS)
    const [alone, talks, first, second] = [
      seat('5.5.5.5', 0),
      seat('1.2.3.4', 10, { bytes: 20 }),
      seat('1.2.3.4', 20),
      seat('1.2.3.5', 30),
    ]
    for (const each of [alone, talks, first, second]) {
      table.arrive(each, 30)
    }
    assert.deepEqual(table.arrive(seat('6.6.6.6', 500), 500), { instead: first })
  })

  it('do not give way while they are new', () => {
    const table = new ConnectionTable<TestSeat>(LIMITS)
    for (const ip of ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4']) {
      table.arrive(seat(ip, 0), 0)
    }
    assert.deepEqual(table.arrive(seat('5.5.5.5', 100), 100), { refusal: 'half_open_full' })
  })

  it('are overdue after a silence, and a byte starts it anew', () => {
    const table = new ConnectionTable<TestSeat>(LIMITS)
    const [silent, talks] = [seat('1.1.1.1', 0), seat('2.2.2.2', 0, { heardAt: 100 })]
    table.arrive(silent, 0)
    table.arrive(talks, 0)
    assert.deepEqual(table.overdue(SILENT_MS - 1), [])
    assert.deepEqual(table.overdue(SILENT_MS), [[silent, 'silent']])
  })

  it('are not alone: so is who stops in the middle of a frame', () => {
    const half = seat('1.1.1.1', 0, { half: true })
    const table = tableOf([half, seat('2.2.2.2', 0)])
    assert.deepEqual(table.overdue(SILENT_MS - 1), [])
    assert.deepEqual(table.overdue(SILENT_MS), [[half, 'silent']])
  })

  it('push nobody out of the table of connections', () => {
    const idlers = Array.from({ length: 10 }, (_, i) => seat(`${i + 1}.0.0.1`, 0))
    const table = tableOf(idlers)
    assert.deepEqual(table.arrive(seat('99.0.0.1', 100_000), 100_000), {})
    assert.equal(table.open, 10)
  })
})

describe('a full table', () => {
  const newcomer = (table: ConnectionTable<TestSeat>, now: number) => {
    const each = seat('99.0.0.1', now)
    table.arrive(each, now)
    return table.settle(each, now)
  }
  const crowd = (also: (i: number) => Partial<TestSeat>) =>
    Array.from({ length: 10 }, (_, i) => seat(`${i + 1}.0.0.1`, 0, { limited: false, ...also(i) }))

  it('gives way with an idler of the most crowded network, the quietest', () => {
    const seats = crowd((i) => ({ usedAt: 1000 + i }))
    seats[3] = seat('7.7.7.1', 0, { usedAt: 2000 })
    seats[4] = seat('7.7.7.2', 0, { usedAt: 1500 })
    assert.deepEqual(newcomer(tableOf(seats), 60_000), { instead: seats[4] })
  })

  it('never cuts whoever has just asked, nor whoever still waits for an answer', () => {
    const seats = crowd(() => ({ usedAt: 58_500, askedAt: 58_500 }))
    assert.deepEqual(newcomer(tableOf(seats), 60_000), { refusal: 'table_full' })
    seats[2]!.open = 1
    seats[2]!.usedAt = 50_000
    assert.deepEqual(newcomer(tableOf(seats), 60_000), { refusal: 'table_full' })
    seats[2]!.open = 0
    assert.deepEqual(newcomer(tableOf(seats), 60_000), { instead: seats[2] })
  })

  it('gives way with one that has never used a stream', () => {
    const seats = crowd((i) => (i === 5 ? {} : { usedAt: 1900, askedAt: 1900 }))
    assert.deepEqual(newcomer(tableOf(seats), 2000), { instead: seats[5] })
  })

  it('is hasty only when there is nobody else', () => {
    const seats = crowd((i) => ({ usedAt: i === 3 ? 57_000 : 59_000, askedAt: 59_000 }))
    assert.deepEqual(newcomer(tableOf(seats), 60_000), { instead: seats[3] })
    seats[8]!.usedAt = 54_000
    assert.deepEqual(newcomer(tableOf(seats), 60_000), { instead: seats[8] })
  })

  it('gives way with one that keeps a stream busy for ever', () => {
    const seats = crowd((i) => ({ open: 1, usedAt: 100_000, askedAt: i === 7 ? 0 : 99_000 }))
    assert.deepEqual(newcomer(tableOf(seats), 100_000), { instead: seats[7] })
  })
})

describe('idle connections', () => {
  it('may stay for long while there is room', () => {
    const only = seat('1.1.1.1', 0, { usedAt: 500 })
    const table = tableOf([only])
    assert.deepEqual(table.overdue(500 + IDLE_MS - 1), [])
    assert.deepEqual(table.overdue(500 + IDLE_MS), [[only, 'idle']])
    only.open = 1
    assert.deepEqual(table.overdue(500 + IDLE_MS), [])
  })

  it('go early from four fifths of the table up, as many as are too many', () => {
    const seats = Array.from({ length: 10 }, (_, i) => seat(`${i + 1}.0.0.1`, 0, { usedAt: i }))
    const gone = tableOf(seats).overdue(CROWDED_IDLE_MS + 10)
    assert.deepEqual(gone, [
      [seats[0], 'idle_crowded'],
      [seats[1], 'idle_crowded'],
    ])
    assert.deepEqual(tableOf(seats.slice(0, 8)).overdue(CROWDED_IDLE_MS + 10), [])
  })
})
