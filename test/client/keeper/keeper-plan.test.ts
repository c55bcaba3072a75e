import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type PlanInit, type Prospect, planDials, soleOrigin } from '../../../src/client/keeper/keeper-plan.ts'
import { CACHE_SOURCE, INBOUND_SOURCE } from '../../../src/client/source-tags.ts'

const prospect = (id: string, sources: string[], more: Partial<Prospect> = {}): Prospect => ({
  id,
  sources: new Set(sources),
  groups: new Set(),
  anchor: false,
  failures: 0,
  notBefore: 0,
  ...more,
})
const many = (count: number, name: string, sources: string[], more: Partial<Prospect> = {}) =>
  Array.from({ length: count }, (_, n) => prospect(`${name} ${n}`, sources, more))
const plan = (available: Prospect[], more: Partial<PlanInit> = {}) =>
  planDials({ target: 8, engaged: [], available, now: 1000, settled: true, random: Math.random, ...more })
const count = (chosen: Prospect[], name: string) => chosen.filter(({ id }) => id.startsWith(name)).length

describe('whom to dial', () => {
  it('is as many as are missing', () => {
    assert.equal(plan(many(20, 'a', ['r'])).length, 8)
    assert.equal(plan(many(20, 'a', ['r']), { engaged: many(5, 'b', ['r']) }).length, 3)
    assert.equal(plan(many(20, 'a', ['r']), { engaged: many(9, 'b', ['r']) }).length, 0)
    assert.equal(plan([]).length, 0)
  })

  it('is nobody that is left alone after a failure', () => {
    assert.equal(plan(many(3, 'a', ['r'], { notBefore: 1001 })).length, 0)
    assert.equal(plan(many(3, 'a', ['r'], { notBefore: 1000 })).length, 3)
  })

  it('is first an anchor, then whom several bootstraps named', () => {
    const all = [
      ...many(20, 'sole', ['r']),
      prospect('both', ['r', 's']),
      prospect('anchor', [CACHE_SOURCE], { anchor: true }),
      prospect('failed', ['r', 's'], { failures: 1 }),
    ]
    assert.deepEqual(
      plan(all)
        .slice(0, 3)
        .map(({ id }) => id),
      ['anchor', 'both', 'failed'],
    )
  })

  it('leaves a bootstrap that speaks alone a minority', () => {
    for (const honest of [1, 3, 5, 20]) {
      const chosen = plan([...many(500, 'planted', ['liar']), ...many(honest, 'honest', ['a', 'b'])])
      assert.ok(count(chosen, 'honest') >= count(chosen, 'planted'), `with ${honest}`)
    }
  })

  it('does not count the cache as a second source: it holds what the same bootstrap named', () => {
    const planted = many(500, 'planted', ['liar', CACHE_SOURCE])
    const chosen = plan([...planted, ...many(3, 'honest', ['a', 'b'])])
    assert.ok(count(chosen, 'planted') <= 3, `${count(chosen, 'planted')} of ${chosen.length}`)
  })

  it('dials peers of an earlier run that it has dialled before those that only connected to it', () => {
    const crowd = many(100, 'crowd', [INBOUND_SOURCE])
    const dialled = many(5, 'dialled', [CACHE_SOURCE])
    assert.equal(count(plan([...crowd, ...dialled]), 'dialled'), 5)
    assert.equal(count(plan(crowd), 'crowd'), 8, 'any peer that it ever knew')
    assert.equal(count(plan([...crowd, ...many(100, 'named', ['only'])]), 'named'), 8)
    assert.equal(
      count(plan([...many(3, 'named', ['only', INBOUND_SOURCE]), ...many(5, 'named', ['only'])]), 'named'),
      8,
    )
    const known = [...crowd, ...many(100, 'planted', ['liar', INBOUND_SOURCE]), ...many(3, 'honest', ['a', 'b'])]
    assert.equal(count(plan(known), 'honest'), 3)
    assert.ok(count(plan(known), 'planted') <= 3)
  })

  it('takes turns where the lists of the bootstraps have nobody in common', () => {
    const chosen = plan([...many(50, 'a', ['ra']), ...many(50, 'b', ['rb']), ...many(50, 'c', ['rc'])])
    assert.equal(chosen.length, 8)
    assert.ok(['a', 'b', 'c'].every((name) => count(chosen, name) >= 2))
  })

  it('does not fill up from the first that answers before the others had the time to', () => {
    assert.equal(plan(many(50, 'a', ['r']), { settled: false }).length, 3)
    assert.equal(plan(many(50, 'a', ['r']), { settled: false, target: 1 }).length, 1)
  })

  it('is spread over network groups as long as there are several', () => {
    const crowd = many(50, 'crowd', ['r', 's'], { groups: new Set(['203.0/16']) })
    const others = Array.from({ length: 10 }, (_, n) =>
      prospect(`other ${n}`, ['r', 's'], { groups: new Set([`${n}`]) }),
    )
    assert.equal(count(plan([...crowd, ...others]), 'crowd'), 2)
    assert.equal(count(plan(crowd), 'crowd'), 8)
    assert.equal(count(plan(crowd, { settled: false }), 'crowd'), 2)
  })

  it('never exceeds the target, names nobody twice, and gives no sole origin half', () => {
    const any = fc.record({
      sources: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', CACHE_SOURCE), { minLength: 1 }),
      group: fc.constantFrom('g', 'h', undefined),
      anchor: fc.boolean(),
      notBefore: fc.constantFrom(0, 5000),
    })
    fc.assert(
      fc.property(
        fc.array(any, { maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        (list, target, settled) => {
          const available = list.map(({ sources, group, anchor, notBefore }, n) =>
            prospect(`${n}`, sources, { anchor, notBefore, groups: new Set(group === undefined ? [] : [group]) }),
          )
          const chosen = plan(available, { target, settled })
          assert.ok(chosen.length <= target)
          assert.equal(new Set(chosen).size, chosen.length)
          assert.ok(chosen.every(({ notBefore }) => notBefore === 0))
          const origins = new Set(
            available.flatMap(({ sources }) => [...sources]).filter((each) => each !== CACHE_SOURCE),
          )
          for (const origin of origins) {
            const sole = chosen.filter((each) => soleOrigin(each) === origin).length
            assert.ok(origins.size === 1 || sole <= 1 || sole * 2 < chosen.length + 1)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
