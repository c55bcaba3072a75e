import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ListingOrder, type Position, startAt } from '../../src/registry/listing-order.ts'

/** What happens between two pages. */
type Event = { readonly what: 'put' | 'delete'; readonly member: number }

describe('the order of pages', () => {
  it('repeats and misses nobody, whatever happens between pages', () => {
    const member = fc.nat(60)
    const event = fc.record({ what: fc.constantFrom('put' as const, 'put' as const, 'delete' as const), member })
    const page = fc.record({ events: fc.array(event, { maxLength: 12 }), limit: fc.integer({ min: 1, max: 20 }) })
    fc.assert(fc.property(fc.array(member, { maxLength: 60 }), fc.integer({ min: 1, max: 7 }), fc.array(page), walk), {
      numRuns: 2000,
    })
  })

  function walk(
    first: readonly number[],
    groups: number,
    pages: ReadonlyArray<{ readonly events: readonly Event[]; readonly limit: number }>,
  ): void {
    const order = new ListingOrder<number>()
    /** The version of each member that is there. */
    const there = new Map<number, number>()
    /** The version at which the reader saw a member. */
    const seen = new Map<number, number>()
    let version = 0
    const put = (member: number) => {
      order.put(member, ++version, member % groups === 0 ? undefined : `group ${member % groups}`)
      there.set(member, version)
    }
    first.forEach(put)
    let at: Position = startAt(version)

    const read = (limit: number): number => {
      const reading = order.read(at)
      for (let count = 0; count < limit; count++) {
        const next = reading.next()
        if (next.done) {
          at = next.value
          return count
        }
        const [member, behind] = next.value
        assert.notEqual(seen.get(member), there.get(member), `${member} came twice without a change`)
        assert.ok(there.has(member), `${member} came though it has gone`)
        seen.set(member, there.get(member)!)
        at = behind
      }
      return limit
    }

    for (const { events, limit } of pages) {
      for (const { what, member } of events) {
        if (what === 'put') {
          put(member)
        } else {
          order.delete(member)
          there.delete(member)
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

  it('begins with one member of each group, however large a group is', () => {
    const order = new ListingOrder<string>()
    let version = 0
    for (let n = 0; n < 100; n++) {
      order.put(`crowd ${n}`, ++version, 'crowd')
    }
    for (let n = 0; n < 20; n++) {
      order.put(`single ${n}`, ++version, `group ${n}`)
    }
    const members = [...order.read(startAt(version))].map(([member]) => member)
    assert.equal(members.slice(0, 21).filter((member) => member.startsWith('single')).length, 20)
    assert.equal(members.length, 120)
  })

  it('keeps the turns of a group apart, however often its members change', () => {
    const order = new ListingOrder<number>()
    let version = 0
    for (let round = 0; round < 50; round++) {
      for (let n = 0; n < 10; n++) {
        order.put(n, ++version, 'crowd')
      }
    }
    order.put(10, ++version, 'another')
    const turns = [...order.read(startAt(version))].map(([, { turn }]) => turn)
    assert.deepEqual(turns, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('shows a reader who has seen all only what changed', () => {
    const order = new ListingOrder<string>()
    for (let n = 1; n <= 10; n++) {
      order.put(`member ${n}`, n, undefined)
    }
    order.put('member 3', 11, undefined)
    order.delete('member 5')
    order.put('newcomer', 12, 'group')
    assert.deepEqual(
      [...order.read({ upTo: 10, turn: undefined })].map(([member]) => member),
      ['member 3', 'newcomer'],
    )
  })

  it('costs a page the same in the middle of many as at their beginning', () => {
    const order = new ListingOrder<number>()
    const count = 200_000
    for (let n = 1; n <= count; n++) {
      order.put(n, n, undefined)
    }
    const begun = performance.now()
    for (let n = 0; n < 1000; n++) {
      order.read({ upTo: count, turn: 0, version: count - 10 }).next()
      order.read({ upTo: count - 10, turn: undefined }).next()
    }
    // A scan would take minutes.
    assert.ok(performance.now() - begun < 2000)
  })

  it('holds no more than twice its members after any number of changes', () => {
    const order = new ListingOrder<number>()
    for (let version = 1; version <= 300_000; version++) {
      order.put(version % 100, version, `group ${version % 10}`)
    }
    const begun = performance.now()
    for (let n = 0; n < 1000; n++) {
      assert.equal([...order.read(startAt(300_000))].length, 100)
    }
    // Ten thousand dead slots a member would take minutes.
    assert.ok(performance.now() - begun < 5000)
  })
})
