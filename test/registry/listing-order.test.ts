import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ListingOrder, type Position } from '../../src/registry/listing-order.ts'
import { RING_SIZE } from '../../src/registry/ring.ts'
import { seededRandom } from '../support/random.ts'

/** What happens between two pages. */
type Event = { readonly what: 'put' | 'move' | 'delete'; readonly member: number }

const FIRST = () => 0

describe('the order of pages', () => {
  it('repeats and misses no member, whatever happens between pages', () => {
    const member = fc.nat(60)
    const event = fc.record({
      what: fc.constantFrom('put' as const, 'put' as const, 'move' as const, 'delete' as const),
      member,
    })
    const page = fc.record({ events: fc.array(event, { maxLength: 12 }), limit: fc.integer({ min: 1, max: 20 }) })
    fc.assert(
      fc.property(
        fc.array(member, { maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer(),
        fc.array(page),
        walk,
      ),
      { numRuns: 2000 },
    )
  })

  function walk(
    first: readonly number[],
    groups: number,
    seed: number,
    pages: ReadonlyArray<{ readonly events: readonly Event[]; readonly limit: number }>,
  ): void {
    const order = new ListingOrder<number>()
    const random = seededRandom(seed)
    /** The version of each member that is there. */
    const there = new Map<number, number>()
    /** The version at which the reader saw a member. */
    const seen = new Map<number, number>()
    let version = 0
    const put = (member: number, shift = 0) => {
      const group = member % groups === 0 ? undefined : `group ${(member + shift) % groups}`
      // Few places, so that members want the same one; and those at the ends of the ring.
      const place = (member % 5) * 2 + (member % 2 === 0 ? 0 : RING_SIZE - 9)
      order.put(member, ++version, { group, place })
      there.set(member, version)
    }
    for (const each of first) {
      put(each)
    }
    let at: Position = order.startAt(version, random)

    const read = (limit: number): number => {
      const reading = order.read(at)
      let count = 0
      while (count < limit) {
        const next = reading.next()
        if (next.done) {
          at = next.value
          return count
        }
        const [member, behind] = next.value
        if (member !== undefined) {
          assert.notEqual(seen.get(member), there.get(member), `${member} came twice without a change`)
          assert.ok(there.has(member), `${member} came though it has gone`)
          seen.set(member, there.get(member)!)
          count++
        }
        at = behind
      }
      return count
    }

    for (const { events, limit } of pages) {
      for (const { what, member } of events) {
        if (what === 'delete') {
          order.delete(member)
          there.delete(member)
        } else {
          put(member, what === 'move' ? 1 : 0)
        }
      }
      read(limit)
    }
    while (read(7) > 0);
    for (const [member, changed] of there) {
      assert.equal(seen.get(member), changed, `${member} was missed`)
    }
    assert.equal(read(7), 0)
    assert.equal(order.size, there.size)
  }

  it('begins with one member of each group, however large a group is, wherever a reader begins', () => {
    const order = new ListingOrder<string>()
    let version = 0
    for (let n = 0; n < 100; n++) {
      order.put(`crowd ${n}`, ++version, { group: 'crowd', place: 5 })
    }
    for (let n = 0; n < 20; n++) {
      order.put(`single ${n}`, ++version, { group: `group ${n}`, place: n })
    }
    const firsts = new Set<string>()
    for (let reader = 0; reader < 21; reader++) {
      const members = [...order.read(order.startAt(version, () => reader / 21))].map(([member]) => member!)
      assert.equal(members.slice(0, 21).filter((member) => member.startsWith('single')).length, 20)
      assert.equal(new Set(members).size, 120)
      firsts.add(members[0]!)
    }
    assert.equal(firsts.size, 21, 'each of them is the first for a reader')
  })

  it('keeps the slot of a member that changes, and fills an earlier turn that became free', () => {
    const order = new ListingOrder<number>()
    let version = 0
    const crowd = { group: 'crowd', place: 1 }
    for (let n = 0; n < 10; n++) {
      order.put(n, ++version, crowd)
    }
    order.put(10, ++version, { group: 'another', place: 2 })
    const read = () => [...order.read(order.startAt(version, FIRST))].map(([member]) => member)
    const before = read()
    for (let round = 0; round < 50; round++) {
      for (const n of [3, 0, 7]) {
        order.put(n, ++version, crowd)
      }
    }
    assert.deepEqual(read(), before)
    order.delete(0)
    assert.deepEqual(read(), [10, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    order.put(7, ++version, crowd)
    assert.deepEqual(read(), [7, 10, 1, 2, 3, 4, 5, 6, 8, 9])
  })

  it('shows a reader who has seen all only what changed', () => {
    const order = new ListingOrder<string>()
    for (let n = 1; n <= 10; n++) {
      order.put(`member ${n}`, n, { group: undefined, place: n })
    }
    order.put('member 3', 11, { group: undefined, place: 3 })
    order.delete('member 5')
    order.put('newcomer', 12, { group: 'group', place: 0 })
    assert.deepEqual(
      [...order.read({ upTo: 10, turn: undefined })].map(([member]) => member),
      ['member 3', 'newcomer'],
    )
  })

  it('ends for any position, also one that no reader was ever given', () => {
    const order = new ListingOrder<number>()
    for (let n = 1; n <= 100; n++) {
      order.put(n, n, { group: `group ${n % 30}`, place: (n * 7_919_000_000_000) % RING_SIZE })
    }
    const six = fc.nat(RING_SIZE - 1)
    fc.assert(
      fc.property(fc.nat(100), fc.nat(0xffff_fffe), six, six, (upTo, turn, start, offset) => {
        const members = [...order.read({ upTo, turn: turn % 9, start, offset })].map(([member]) => member)
        const shown = members.filter((member) => member !== undefined)
        assert.equal(new Set(shown).size, shown.length)
        assert.ok(members.length <= 200)
        assert.ok([...order.read({ upTo, turn, start, offset })].length <= 200)
      }),
    )
  })

  it('costs a page the same in the middle of many as at their beginning', () => {
    const order = new ListingOrder<number>()
    const count = 50_000
    const random = seededRandom(1)
    for (let n = 1; n <= count; n++) {
      order.put(n, n, { group: undefined, place: Math.floor(random() * RING_SIZE) })
    }
    const begun = performance.now()
    for (let n = 0; n < 1000; n++) {
      order.read(order.startAt(count, random)).next()
      order.read({ upTo: count, turn: 0, start: 1, offset: Math.floor(random() * RING_SIZE) }).next()
      order.read({ upTo: count - 10, turn: undefined }).next()
    }
    // A scan would take minutes.
    assert.ok(performance.now() - begun < 2000)
  })

  it('holds no more than twice its members after any number of changes', () => {
    const order = new ListingOrder<number>()
    for (let version = 1; version <= 300_000; version++) {
      order.put(version % 100, version, { group: `group ${version % 10}`, place: version % 10 })
    }
    const begun = performance.now()
    for (let n = 0; n < 1000; n++) {
      assert.equal([...order.read(order.startAt(300_000, FIRST))].length, 100)
    }
    // Ten thousand dead changes a member would take minutes.
    assert.ok(performance.now() - begun < 5000)
  })
})
