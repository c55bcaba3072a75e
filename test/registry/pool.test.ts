import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Age, type Group, Pool, type Pooled } from '../../src/registry/pool.ts'

interface Member extends Pooled<Member> {
  readonly id: number
}

const step = fc.record({
  id: fc.nat(20),
  put: fc.boolean(),
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  age: fc.constantFrom<Age>('established', 'recent'),
})

describe('Pool', () => {
  it('holds what was put in, in the group and the age it was put, after any steps', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const pool = new Pool<Member>()
        const members = Array.from(
          { length: 21 },
          (_, id): Member => ({ id, group: undefined, age: 'recent', position: 0 }),
        )
        const model = new Map<number, { key: string; age: Age }>()
        for (const { id, put, key, age } of steps) {
          const member = members[id]!
          if (put) {
            const at = model.get(id)?.key ?? key // a member's group never changes, its address does not
            pool.put(member, at, age)
            model.set(id, { key: at, age })
          } else {
            pool.remove(member)
            model.delete(id)
          }
          assert.equal(pool.size, model.size)
          assertSame(pool, model)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

function assertSame(pool: Pool<Member>, model: ReadonlyMap<number, { key: string; age: Age }>): void {
  const seen = new Map<number, { key: string; age: Age }>()
  for (const age of ['established', 'recent'] as const) {
    pool.groups[age].forEach((group: Group<Member>, position) => {
      assert.equal(group.position, position)
      assert.equal(age, group.established.length > 0 ? 'established' : 'recent')
      for (const inside of ['established', 'recent'] as const) {
        group[inside].forEach((member, at) => {
          assert.equal(member.position, at)
          assert.equal(member.group, group)
          assert.ok(!seen.has(member.id))
          seen.set(member.id, { key: group.key, age: inside })
        })
      }
    })
  }
  assert.deepEqual(new Map([...seen].sort()), new Map([...model].sort()))
}
