import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Group, type Half, Pool, type Seated } from '../../src/registry/pool.ts'

interface Member extends Seated<Member> {
  readonly id: number
}

const step = fc.record({
  id: fc.nat(20),
  put: fc.boolean(),
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  half: fc.constantFrom<Half>('ripe', 'fresh'),
})

describe('Pool', () => {
  it('holds what was put in, in the group and the half it was put, after any steps', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const pool = new Pool<Member>()
        const members = Array.from(
          { length: 21 },
          (_, id): Member => ({ id, group: undefined, half: 'fresh', position: 0 }),
        )
        const model = new Map<number, { key: string; half: Half }>()
        for (const { id, put, key, half } of steps) {
          const member = members[id]!
          if (put) {
            const at = model.get(id)?.key ?? key // a member's group never changes, its address does not
            pool.put(member, at, half)
            model.set(id, { key: at, half })
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

function assertSame(pool: Pool<Member>, model: ReadonlyMap<number, { key: string; half: Half }>): void {
  const seen = new Map<number, { key: string; half: Half }>()
  for (const half of ['ripe', 'fresh'] as const) {
    pool.groups[half].forEach((group: Group<Member>, position) => {
      assert.equal(group.position, position)
      assert.equal(half, group.ripe.length > 0 ? 'ripe' : 'fresh')
      for (const inside of ['ripe', 'fresh'] as const) {
        group[inside].forEach((member, at) => {
          assert.equal(member.position, at)
          assert.equal(member.group, group)
          assert.ok(!seen.has(member.id))
          seen.set(member.id, { key: group.key, half: inside })
        })
      }
    })
  }
  assert.deepEqual(new Map([...seen].sort()), new Map([...model].sort()))
}
