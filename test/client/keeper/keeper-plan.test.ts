import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type PlanInit, planDials } from '../../../src/client/keeper/keeper-plan.ts'
import { type Prospect, soleOrigin } from '../../../src/client/keeper/prospect.ts'
import { CACHE_SOURCE, INBOUND_SOURCE } from '../../../src/client/source-tags.ts'

const prospect = (id: string, sources: string[], more: Partial<Prospect> = {}): Prospect => ({
  id,
  sources: new Set(sources),
  ips: new Set(),
  groups: new Set(),
  anchor: false,
  failures: 0,
  notBefore: 0,
  ...more,
})
const many = (count: number, name: string, sources: string[], more: Partial<Prospect> = {}) =>
  Array.from({ length: count }, (_, n) => prospect(`${name} ${n}`, sources, more))
const plan = (available: Prospect[], more: Partial<PlanInit> = {}) =>
  planDials({
    target: 8,
    engaged: [],
    available,
    now: 1000,
    settled: true,
    random: Math.random,
    isVoice: () => true,
    wantsFeeler: () => false,
    dialsAt: () => 0,
    ...more,
  })
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

  it('dials others beside the peers of one origin that fill the node by connecting to it', () => {
    const engaged = many(20, 'planted', ['liar'])
    assert.equal(plan(many(20, 'both', ['liar', 'a']), { engaged }).length, 5, 'those of the liar count as three')
    assert.equal(plan(many(20, 'honest', ['a']), { engaged }).length, 3)
    assert.equal(plan(many(20, 'planted', ['liar']), { engaged }).length, 0, 'the only one there is')
    const both = many(5, 'both', ['liar', 'a'])
    assert.equal(
      plan(many(20, 'honest', ['a']), { engaged: [...engaged, ...both] }).length,
      0,
      'three and five are eight',
    )
  })

  it('gives the places of an origin whose peers all failed to the others, until one of them answers', () => {
    const dead = many(400, 'dead', ['liar'])
    const honest = many(12, 'honest', ['a'])
    const isVoice = (origin: string) => origin !== 'liar'
    assert.ok(count(plan([...dead, ...honest]), 'honest') <= 3, 'as long as it is a voice')
    assert.equal(count(plan([...dead, ...honest], { isVoice }), 'honest'), 8)
    assert.equal(
      count(plan([...dead, ...many(5, 'honest', ['a'])], { isVoice }), 'dead'),
      3,
      'the places that are left',
    )
  })

  describe('where two bootstraps name no peer together', () => {
    /** What it comes to when all answer: the peers of each. */
    function settle(a: number, b: number, shared = 0): [number, number] {
      let available = [...many(a, 'a', ['ra']), ...many(b, 'b', ['rb']), ...many(shared, 'b', ['ra', 'rb'])]
      let engaged: Prospect[] = []
      for (let round = 0; round < 10; round++) {
        const chosen = plan(available, { engaged })
        engaged = [...engaged, ...chosen]
        available = available.filter((each) => !chosen.includes(each))
      }
      return [count(engaged, 'a'), count(engaged, 'b')]
    }

    it('leaves two places of eight empty while both name more', () => {
      assert.deepEqual(settle(50, 50), [3, 3])
    })

    it('fills all with those of one when it is connected to all of the other, be it one peer', () => {
      assert.deepEqual(settle(50, 1), [7, 1])
      assert.deepEqual(settle(50, 3), [5, 3])
      assert.deepEqual(settle(50, 0, 1), [7, 1], 'a liar that names one honest peer holds up none of the others')
    })

    it('dials those that the other one names later beside them', () => {
      const engaged = [...many(7, 'a', ['ra']), ...many(1, 'b', ['rb'])]
      assert.equal(plan(many(50, 'b2', ['rb']), { engaged }).length, 2)
    })
  })

  it('is now and then one of an origin that is no voice, beyond the target', () => {
    const engaged = many(8, 'planted', ['liar'])
    const away = many(20, 'away', ['a'])
    const isVoice = (origin: string) => origin !== 'a'
    const wantsFeeler = (origin: string) => origin === 'a'
    assert.equal(plan(away, { engaged, isVoice }).length, 0)
    assert.equal(plan(away, { engaged, isVoice, wantsFeeler }).length, 1)
    assert.equal(plan(away, { engaged: [...engaged, ...many(1, 'back', ['a'])], isVoice, wantsFeeler }).length, 0)
  })

  it('gives each IP one chance, however many PeerIds it has', () => {
    const crowd = Array.from({ length: 400 }, (_, n) => prospect(`crowd ${n}`, ['r'], { ips: new Set([`${n % 4}`]) }))
    const honest = Array.from({ length: 12 }, (_, n) => prospect(`honest ${n}`, ['r'], { ips: new Set([`h${n}`]) }))
    const draws = Array.from({ length: 150 }, () => count(plan([...crowd, ...honest]), 'crowd'))
    const share = draws.reduce((a, b) => a + b) / (8 * draws.length)
    assert.ok(Math.abs(share - 4 / 16) < 0.05, `${share} of the dials`)
    assert.equal(count(plan(crowd), 'crowd'), 8)
  })

  it('trusts a peer of an earlier run with no more than the origins that name it', () => {
    const cached = many(500, 'cached', [CACHE_SOURCE])
    const anchors = many(4, 'cached anchor', [CACHE_SOURCE, 'liar'], { anchor: true })
    const chosen = plan([...cached, ...anchors, ...many(20, 'planted', ['liar']), ...many(20, 'honest', ['a'])])
    assert.ok(chosen.filter(({ sources }) => sources.has('liar')).length <= 3)
    assert.ok(count(chosen, 'honest') >= 2)
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

  it('is at IPs that were dialled less often', () => {
    const at = (ip: string) => ({ ips: new Set([ip]) })
    const flapping = many(50, 'flapping', ['r'], at('9.9.9.9'))
    const failed = many(8, 'failed', ['r'], { ...at('8.8.8.8'), failures: 1 })
    const dialsAt = (ip: string) => (ip === '9.9.9.9' ? 40 : 2)
    assert.equal(count(plan([...flapping, ...failed], { dialsAt }), 'failed'), 8)
  })

  it('is one of each public IP as long as there are others', () => {
    const at = (n: number) => ({ ips: new Set([`9.9.0.${n}`]), groups: new Set([`${n}`]) })
    const crowd = many(50, 'crowd', ['r', 's'], at(1))
    const others = Array.from({ length: 7 }, (_, n) => prospect(`other ${n}`, ['r', 's'], at(2 + n)))
    assert.equal(count(plan([...crowd, ...others]), 'crowd'), 1)
    assert.equal(count(plan([...crowd, ...others.slice(0, 4)]), 'crowd'), 4)
    assert.equal(count(plan(others, { target: 7, engaged: many(1, 'crowd', ['r'], at(2)) }), 'other 0'), 0)
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
