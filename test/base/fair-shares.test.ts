import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FairShares, type SharePath } from '../../src/base/fair-shares.ts'

describe('who gives way in a full place', () => {
  it('is the newest of the most crowded child', () => {
    const shares = sharesOf({ 'a/1': 3, 'a/2': 5, 'a/3': 4 })
    assert.equal(shares.whoGivesWay(['a', '4'], 1), 'a/2 #4')
  })

  it('is no one when no child has two more than the newcomer, who does not count', () => {
    const shares = sharesOf({ 'a/1': 3, 'a/2': 2 })
    assert.equal(shares.whoGivesWay(['a', '3'], 1), 'a/1 #2')
    assert.equal(shares.whoGivesWay(['a', '2'], 1), undefined)
    assert.equal(shares.whoGivesWay(['a', '2'], 1, { counted: 1 }), 'a/1 #2')
    assert.equal(shares.whoGivesWay(['a', '2'], 1, { lead: 1 }), 'a/1 #2')
    assert.equal(shares.whoGivesWay(['a', '1'], 1, { lead: 1 }), undefined)
  })

  it('is looked for further down the path when its share of the full place is taken by its own neighbours', () => {
    const shares = sharesOf({ 'a/1/x': 6, 'a/2/y': 6 })
    assert.equal(shares.whoGivesWay(['a', '1', 'z'], 1), 'a/1/x #5')
    assert.equal(shares.whoGivesWay(['a', '1', 'x'], 1), undefined)
  })

  it('is not one that may not go, and the next most crowded child pays then', () => {
    const shares = sharesOf({ 'a/1': 3, 'a/2': 5, 'a/3': 4 })
    const asked: string[] = []
    const mayGo = (member: string) => {
      asked.push(member)
      return !member.startsWith('a/2') && member !== 'a/3 #3'
    }
    assert.equal(shares.whoGivesWay(['a', '4'], 1, { mayGo }), 'a/3 #2')
    assert.equal(asked.length, 7)
    assert.equal(shares.whoGivesWay(['a', '4'], 1, { mayGo }), 'a/3 #2')
    assert.equal(asked.length, 8, 'those that may not go are asked once')
    assert.equal(shares.count(['a', '2']), 5)
    shares.release(['a', '2'], 'a/2 #1')
    assert.equal(shares.whoGivesWay(['a', '4'], 1, { mayGo: () => true }), 'a/2 #1')
  })

  it('is, of children that are as crowded as each other, the last that became so', () => {
    const shares = sharesOf({ 'a/1': 2, 'a/2': 2, 'a/3': 2 })
    assert.equal(shares.whoGivesWay(['a', '4'], 1), 'a/3 #1')
    shares.add(['a', '2'], 'a/2 #2')
    shares.remove(['a', '2'], 'a/2 #2')
    assert.equal(shares.whoGivesWay(['a', '4'], 1), 'a/3 #1')
    shares.remove(['a', '3'], 'a/3 #1')
    assert.equal(shares.whoGivesWay(['a', '4'], 1), 'a/1 #1')
  })

  it('is of the whole when no key is full', () => {
    const shares = sharesOf({ 'a/1': 2, 'b/1': 3 })
    assert.equal(shares.whoGivesWay(['c', '1'], 0), 'b/1 #2')
  })
})

it('whose turn it is goes round by place on each level, the oldest of each first', () => {
  const shares = sharesOf({ 'a/1': 3, 'a/2': 1, 'b/1': 2 })
  const turns = Array.from({ length: 7 }, () => shares.next())
  assert.deepEqual(turns, ['a/1 #0', 'b/1 #0', 'a/2 #0', 'b/1 #1', 'a/1 #1', 'a/1 #2', undefined])
  assert.equal(shares.size, 0)
})

it('does as a plain list does, whatever comes and goes', () => {
  const path = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(3)).map((keys) => keys.map(String))
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), path }),
    fc.record({ do: fc.constantFrom('remove' as const, 'stay' as const, 'release' as const), nth: fc.nat(200) }),
    fc.record({ do: fc.constant('ask' as const), path, depth: fc.nat(2) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const shares = new FairShares<Item>()
      const model: Item[] = []
      for (const [n, each] of steps.entries()) {
        const chosen = 'nth' in each && model.length > 0 ? model[each.nth % model.length]! : undefined
        if (each.do === 'add') {
          const item = { n, path: each.path, mayGo: true }
          shares.add(item.path, item)
          model.push(item)
        } else if (each.do === 'ask') {
          check(shares, model, each.path, each.depth)
        } else if (chosen !== undefined && each.do === 'remove') {
          assert.ok(shares.remove(chosen.path, chosen))
          assert.ok(!shares.remove(chosen.path, chosen))
          model.splice(model.indexOf(chosen), 1)
        } else if (chosen !== undefined) {
          chosen.mayGo = each.do === 'release'
          shares.release(chosen.path, chosen)
        }
        assert.equal(shares.size, model.length)
      }
    }),
    { numRuns: 1000 },
  )
})

interface Item {
  readonly n: number
  readonly path: readonly string[]
  mayGo: boolean
}

/** The member that gives way is of a child that is the most crowded of those with a member that may go. */
function check(shares: FairShares<Item>, model: readonly Item[], path: readonly string[], depth: number): void {
  const victim = shares.whoGivesWay(path, depth, { mayGo: ({ mayGo }) => mayGo })
  for (let at = depth; at < path.length; at++) {
    const inside = model.filter((each) => path.slice(0, at).every((key, i) => each.path[i] === key))
    const sizeOf = (key: string) => inside.filter((each) => each.path[at] === key).length
    assert.equal(shares.count(path, at), inside.length)
    const open = inside.filter(({ mayGo }) => mayGo).map((each) => sizeOf(each.path[at]!))
    const most = Math.max(0, ...open)
    if (most >= sizeOf(path[at]!) + 2) {
      assert.ok(victim?.mayGo && inside.includes(victim))
      assert.equal(sizeOf(victim.path[at]!), most)
      return
    }
  }
  assert.equal(victim, undefined)
}

/** Shares of texts: `{ 'a/1': 2 }` are `a/1 #0` and `a/1 #1`. */
function sharesOf(counts: Readonly<Record<string, number>>): FairShares<string> {
  const shares = new FairShares<string>()
  for (const [place, count] of Object.entries(counts)) {
    const path: SharePath = place.split('/')
    for (let n = 0; n < count; n++) {
      shares.add(path, `${place} #${n}`)
    }
  }
  return shares
}
