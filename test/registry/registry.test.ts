import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ipOf } from '../../src/peer/address.ts'
import { networkGroupOf, type Scope, scopeOf } from '../../src/peer/ip.ts'
import { ESTABLISHED_AFTER_MS } from '../../src/registry/liveness.ts'
import { neighbourhoodsOf, pathOf } from '../../src/registry/neighbourhoods.ts'
import {
  type Health,
  isStatic,
  keyOf,
  type Registration,
  type RegistrationKey,
  type StaticEntry,
} from '../../src/registry/registration.ts'
import { Registry } from '../../src/registry/registry.ts'
import { HOUR, NOW } from '../support/tables.ts'

const MAX_AGE = 20 * 60_000

const ADDRESSES = [
  '/ip4/8.8.8.8/tcp/4001',
  '/ip4/8.8.8.8/tcp/4002',
  '/ip4/8.8.9.9/tcp/4001',
  '/ip4/127.0.0.1/tcp/4001',
  '/ip4/10.0.0.1/tcp/4001',
  '/ip6/2a01:4f8::1/tcp/4001',
  '/ip6/2a01:4f8::2/tcp/4001',
  '/ip6/::1/tcp/4001',
]
const key = fc.record(
  {
    network: fc.constantFrom('', 'chain'),
    peerId: fc.constantFrom('p', 'q', 'r'),
    address: fc.constantFrom(...ADDRESSES),
  },
  { noNullPrototype: true },
)
const ttl = fc.integer({ min: 1, max: 3 * 24 }).map((hours) => hours * HOUR)

type Step =
  | { readonly do: 'reserve' | 'put'; readonly key: RegistrationKey; readonly ttl: number }
  | { readonly do: 'remove' | 'answer' | 'miss'; readonly key: RegistrationKey }
  | { readonly do: 'restore'; readonly key: RegistrationKey; readonly ttl: number; readonly age: number }
  | { readonly do: 'statics'; readonly keys: readonly RegistrationKey[] }
  | { readonly do: 'sweep'; readonly budget: number }
  | { readonly do: 'wait'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('reserve' as const, 'put' as const), key, ttl }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('remove' as const, 'answer' as const, 'answer' as const, 'miss' as const),
      key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), key, ttl, age: fc.nat(2 * MAX_AGE) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('statics' as const), keys: fc.array(key, { maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sweep' as const), budget: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat(HOUR), fc.nat(2 * ESTABLISHED_AFTER_MS)),
    }),
  },
)

/** What a table has to know of an entry, and nothing about how. */
interface Entry {
  readonly key: RegistrationKey
  expiresAt: number
  provedAt: number
  provedSince: number
  health: Health
  misses: number
  provisional: boolean
}

for (const listing of ['verified', 'registered'] as const) {
  it(`a registry that lists what is ${listing} does what a plain list would do`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const registry = new Registry({ listing })
        const model = new Map<string, Entry>()
        let now = NOW
        for (const each of steps) {
          now += each.do === 'wait' ? each.ms : 0
          apply(each, registry, model, now)
          assertSame(registry, model, listing)
        }
      }),
      { numRuns: 1000 },
    )
  })
}

describe('a registry', () => {
  it('comes round to every entry, however small the budget, and removes what is over', () => {
    const registry = new Registry({ listing: 'verified' })
    for (let n = 0; n < 1000; n++) {
      registry.put(
        { network: `${n % 7}`, peerId: `${n % 300}`, address: `/ip4/8.8.${n >> 8}.${n & 255}/tcp/4001` },
        { now: NOW, expiresAt: NOW + (n % 2 === 0 ? 1 : HOUR) },
      )
    }
    const expired = new Set<Registration>()
    for (let n = 0; n < 1000 / 7 + 10; n++) {
      for (const each of registry.expire(NOW + 1, 0, 7)) {
        expired.add(each)
      }
    }
    assert.equal(expired.size, 500)
    assert.equal(registry.size, 500)
  })

  it('shows every entry that stays to who reads it while it changes', () => {
    const registry = new Registry({ listing: 'verified' })
    const put = (n: number) =>
      registry.put(
        { network: '', peerId: `${n >> 1}`, address: `/ip4/8.8.${n >> 8}.${n & 255}/tcp/4001` },
        { now: NOW, expiresAt: NOW + HOUR },
      )
    const all = Array.from({ length: 400 }, (_, n) => put(n))
    const seen: Registration[] = []
    for (const each of registry.all()) {
      seen.push(each)
      registry.remove(all[400 - 2 * seen.length] ?? each)
      put(1000 + seen.length)
      if (seen.length > 2000) {
        assert.fail('the reader never comes to an end')
      }
      if (seen.length > 300) {
        break
      }
    }
    assert.ok(seen.length > 100, `${seen.length}`)
    assert.equal(new Set(seen).size, seen.length)
  })

  it("keeps the operator's entries as they are, whatever strangers do", () => {
    const registry = new Registry({ listing: 'verified' })
    const key = { network: '', peerId: 'p', address: '/ip4/8.8.8.8/tcp/4001' }
    registry.setStatics([staticOf(key)], NOW)
    const entry = registry.put(key, { now: NOW, expiresAt: NOW + 1 })
    assert.ok(isStatic(entry))
    assert.deepEqual(registry.expire(NOW + 1e12, 0, 100), [])
    assert.deepEqual([...registry.records()], [])
    registry.setStatics([], NOW)
    assert.equal(registry.size, 0)
  })

  it('makes an entry established once it has answered for a day without a miss, and recent again after one', () => {
    const registry = new Registry({ listing: 'verified' })
    const entry = registry.put(
      { network: '', peerId: 'p', address: '/ip4/8.8.8.8/tcp/4001' },
      { now: NOW, expiresAt: NOW + 1e12 },
    )
    const age = () => (registry.pool('', 'public')?.groups.established.length === 1 ? 'established' : 'recent')
    registry.recordProof(entry, 'answered', NOW)
    registry.recordProof(entry, 'answered', NOW + ESTABLISHED_AFTER_MS - 1)
    assert.equal(age(), 'recent')
    registry.recordProof(entry, 'answered', NOW + ESTABLISHED_AFTER_MS)
    assert.equal(age(), 'established')
    registry.recordProof(entry, 'missed', NOW + ESTABLISHED_AFTER_MS + 1)
    registry.recordProof(entry, 'answered', NOW + ESTABLISHED_AFTER_MS + 2)
    assert.equal(age(), 'recent')
  })

  it('keeps the age of an entry whose proof became too old before it could be proved again', () => {
    const registry = new Registry({ listing: 'verified' })
    const entry = registry.put(
      { network: '', peerId: 'p', address: '/ip4/8.8.8.8/tcp/4001' },
      { now: NOW, expiresAt: NOW + 1e12 },
    )
    registry.recordProof(entry, 'answered', NOW)
    registry.expire(NOW + HOUR, NOW + 1, 10)
    assert.equal(entry.health, 'failing')
    registry.recordProof(entry, 'answered', NOW + HOUR)
    assert.equal(entry.provedSince, NOW)
  })
})

function apply(step: Step, registry: Registry, model: Map<string, Entry>, now: number): void {
  switch (step.do) {
    case 'reserve':
      // The point reserves only what is not there.
      if (!model.has(textOf(step.key))) {
        registry.reserve(step.key, { now, expiresAt: now + step.ttl })
        model.set(textOf(step.key), entryOf(step.key, now + step.ttl, true))
      }
      return
    case 'put': {
      registry.put(step.key, { now, expiresAt: now + step.ttl })
      const known = model.get(textOf(step.key)) ?? entryOf(step.key, 0, false)
      known.expiresAt = known.expiresAt === Number.POSITIVE_INFINITY ? known.expiresAt : now + step.ttl
      known.provisional = false
      model.set(textOf(step.key), known)
      return
    }
    case 'remove': {
      const entry = registry.find(step.key)
      assert.equal(entry !== undefined && registry.remove(entry), model.delete(textOf(step.key)))
      assert.equal(entry !== undefined && registry.remove(entry), false)
      return
    }
    case 'answer':
    case 'miss': {
      const [entry, known] = [registry.find(step.key), model.get(textOf(step.key))]
      if (entry !== undefined && known !== undefined) {
        const doubted = registry.recordProof(entry, step.do === 'answer' ? 'answered' : 'missed', now)
        prove(known, step.do === 'answer', now)
        const others = step.do === 'answer' ? othersThere(known, model) : []
        for (const other of others) {
          Object.assign(other, { health: 'failing', provedSince: 0 })
        }
        assert.deepEqual(doubted.map((each) => textOf(keyOf(each))).sort(), others.map(({ key }) => textOf(key)).sort())
      }
      return
    }
    case 'restore': {
      const record = { ...step.key, registeredAt: now - HOUR, expiresAt: now + step.ttl, provedAt: now - step.age }
      registry.restore(record, now - MAX_AGE)
      const known = model.get(textOf(step.key)) ?? entryOf(step.key, record.expiresAt, false)
      if (known.expiresAt !== Number.POSITIVE_INFINITY) {
        const others = othersThere(known, model)
        const isLatest = others.every(({ provedAt }) => provedAt < record.provedAt)
        const current = isLatest && step.age <= MAX_AGE
        for (const other of isLatest ? others : []) {
          Object.assign(other, { health: 'failing', provedSince: 0 })
        }
        Object.assign(known, {
          provedAt: record.provedAt,
          provedSince: current ? record.registeredAt : 0,
          health: current ? 'reachable' : 'failing',
        })
      }
      model.set(textOf(step.key), known)
      return
    }
    case 'statics': {
      registry.setStatics(step.keys.map(staticOf), now)
      const named = new Set(step.keys.map(textOf))
      for (const [text, { expiresAt }] of model) {
        if (expiresAt === Number.POSITIVE_INFINITY && !named.has(text)) {
          model.delete(text)
        }
      }
      for (const each of step.keys) {
        const known = model.get(textOf(each)) ?? entryOf(each, 0, false)
        Object.assign(known, { expiresAt: Number.POSITIVE_INFINITY, provisional: false })
        model.set(textOf(each), known)
      }
      return
    }
    case 'sweep': {
      for (let looks = 0; looks <= registry.size / Math.max(1, step.budget) + 2; looks++) {
        registry.expire(now, now - MAX_AGE, Math.max(1, step.budget))
      }
      registry.expire(now, now - MAX_AGE, 1000)
      registry.expire(now, now - MAX_AGE, 1000)
      for (const [text, entry] of model) {
        if (entry.expiresAt <= now) {
          model.delete(text)
        } else if (entry.health === 'reachable' && entry.provedAt < now - MAX_AGE) {
          entry.health = 'failing'
        }
      }
    }
  }
}

/** Other peers that have answered at the same address and not missed since. */
function othersThere({ key }: Entry, model: ReadonlyMap<string, Entry>): Entry[] {
  return [...model.values()].filter(
    (each) => each.key.address === key.address && each.key.peerId !== key.peerId && each.provedSince !== 0,
  )
}

function prove(entry: Entry, answered: boolean, now: number): void {
  if (answered) {
    Object.assign(entry, {
      provedSince: entry.provedSince === 0 ? now : entry.provedSince,
      provedAt: now,
      health: 'reachable',
      misses: 0,
    })
  } else {
    Object.assign(entry, {
      provedSince: 0,
      misses: entry.misses + 1,
      health: entry.health === 'unproven' ? 'unproven' : 'failing',
    })
  }
}

function assertSame(registry: Registry, model: ReadonlyMap<string, Entry>, listing: 'verified' | 'registered'): void {
  const entries = [...model.values()]
  const peers = new Set(entries.map(({ key }) => `${key.peerId} ${key.network}`))
  assert.equal(registry.size, model.size)
  assert.equal(registry.peerCount, peers.size)
  assert.equal(registry.networkCount, new Set(entries.map(({ key }) => key.network)).size)
  assert.equal([...registry.all()].length, model.size)
  assert.equal(registry.livingCount, entries.filter((each) => each.provedSince !== 0 && !each.provisional).length)
  assert.equal(registry.listedCount, entries.filter((each) => isListed(each, listing)).length)
  assert.equal(
    [...registry.records()].length,
    entries.filter((each) => !each.provisional && Number.isFinite(each.expiresAt)).length,
  )
  for (const entry of entries) {
    const found = registry.find(entry.key)
    assert.ok(found !== undefined)
    const { expiresAt, provedAt, provedSince, health, misses, provisional } = found
    assert.deepEqual({ key: keyOf(found), expiresAt, provedAt, provedSince, health, misses, provisional }, entry)
    assert.ok(registry.registrationsOf(entry.key.network, entry.key.peerId).includes(found))
  }
  assert.deepEqual(
    listed(registry),
    entries
      .filter((each) => isListed(each, listing))
      .map(({ key }) => textOf(key))
      .sort(),
  )
  if (listing === 'verified') {
    for (const address of ADDRESSES) {
      const there = entries.filter((each) => each.key.address === address && isListed(each, listing))
      assert.ok(new Set(there.map(({ key }) => key.peerId)).size <= 1, `one living peer at ${address}`)
    }
  }
  assertCounts(registry, entries)
  const chain = entries.filter(({ key }) => key.network === 'chain')
  assert.equal(
    registry.spareNetworks.isEmpty('chain'),
    chain.length > 0 && !chain.some((each) => isListed(each, listing)),
  )
}

function isListed({ health, provisional }: Entry, listing: 'verified' | 'registered'): boolean {
  return !provisional && (health === 'reachable' || listing === 'registered')
}

/** All that sampling can ever see, with the group and the age it is in checked. */
function listed(registry: Registry): string[] {
  const seen: string[] = []
  for (const network of ['', 'chain']) {
    for (const scope of ['public', 'loopback', 'private-10'] satisfies Scope[]) {
      const pool = registry.pool(network, scope)
      const groups = [...(pool?.groups.established ?? []), ...(pool?.groups.recent ?? [])]
      for (const group of groups) {
        for (const entry of [...group.established, ...group.recent]) {
          const ip = ipOf(entry.address)
          assert.equal(scopeOf(ip), scope)
          assert.equal(group.key, scope === 'public' ? networkGroupOf(ip) : scope)
          assert.equal(
            group.established.includes(entry),
            entry.health === 'reachable' && entry.provedAt - entry.provedSince >= ESTABLISHED_AFTER_MS,
          )
          seen.push(textOf(keyOf(entry)))
        }
      }
      assert.equal(
        pool?.size ?? 0,
        groups.reduce((sum, { established, recent }) => sum + established.length + recent.length, 0),
      )
    }
  }
  return seen.sort()
}

function assertCounts(registry: Registry, entries: readonly Entry[]): void {
  for (const address of ADDRESSES) {
    const ip = ipOf(address)
    const places = neighbourhoodsOf(ip, scopeOf(ip))
    const path = pathOf(places)
    for (const [at, [kind, place]] of places.entries()) {
      const inside = entries.filter(({ key }) => {
        const other = ipOf(key.address)
        return neighbourhoodsOf(other, scopeOf(other)).some(
          ([otherKind, otherPlace]) => otherKind === kind && otherPlace === place,
        )
      })
      assert.equal(registry.occupancy.count(kind, place), inside.length)
      const crowd = registry.occupancy.crowdAt(places)
      const ofChain = inside.filter(({ key }) => key.network === 'chain').length
      assert.equal(crowd.all.count(path, path.length - at), inside.length)
      assert.equal(crowd.of('chain')?.count(path, path.length - at) ?? 0, ofChain)
    }
  }
  for (const peerId of ['p', 'q', 'r']) {
    assert.equal(registry.occupancy.count('peer', peerId), entries.filter(({ key }) => key.peerId === peerId).length)
  }
}

function entryOf(key: RegistrationKey, expiresAt: number, provisional: boolean): Entry {
  return { key, expiresAt, provedAt: 0, provedSince: 0, health: 'unproven', misses: 0, provisional }
}

function staticOf(key: RegistrationKey): StaticEntry {
  return { json: key, registration: key }
}

function textOf({ network, peerId, address }: RegistrationKey): string {
  return `${network} ${peerId} ${address}`
}
