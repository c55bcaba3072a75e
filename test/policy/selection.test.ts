import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ipOf } from '../../src/peer/address.ts'
import type { Scope } from '../../src/peer/ip.ts'
import { prefixOf, scopeOf } from '../../src/peer/ip.ts'
import { MAX_PER_GROUP, MAX_PER_SUBNET } from '../../src/policy/answer-caps.ts'
import { ESTABLISHED_SHARE, FEW, type SelectionQuery } from '../../src/policy/selection.ts'
import type { RegisteredPeer } from '../../src/registry/registration.ts'
import { drawEclipse, ECLIPSES } from '../lab/eclipse.ts'
import { missesOfEclipse } from '../lab/judge.ts'
import { seededRandom } from '../support/random.ts'
import { selectPeers } from '../support/select-peers.ts'
import { type Listed, tableOf } from '../support/tables.ts'

const ASK: SelectionQuery = { network: '', limit: 250, scope: 'public', except: '', current: () => true }

/** Enough to see an attacker that has more than it may, by a part of a percent; `npm run test:lab` draws 10,000. */
const DRAWS = 300

describe('an attacker with 28 addresses in 28 /24s among 500 honest peers', () => {
  for (const [name, ways] of Map.groupBy(ECLIPSES, ({ layout, place }) => `${place}, the honest ${layout}`)) {
    it(`in ${name}: its share of the groups plus 1 % at the most`, () => {
      const results = ways.map((way) => drawEclipse(way, DRAWS))
      assert.deepEqual(
        results.flatMap((result) => missesOfEclipse(result, 3)),
        [],
      )
      assert.ok(results.every(({ share, error }) => share > 0 && error < 0.002))
    })
  }
})

describe('an answer', () => {
  const crowd = Array.from({ length: 2000 }, (_, n) =>
    peer(n, `${20 + (n % 40)}.${(n >> 6) % 8}.${(n >> 5) % 16}.${n % 32}`),
  )

  it('holds one peer an IP, two a /24, eight a /16, none of them twice', () => {
    const registry = tableOf([
      ...crowd,
      ...Array.from({ length: 300 }, (_, n) => peer(5000 + n, '8.8.8.8', 4001 + n)),
      ...Array.from({ length: 300 }, (_, n) => peer(6000 + n, `8.9.9.${n % 256}`, 4001 + n)),
      ...Array.from({ length: 300 }, (_, n) => peer(7000 + n, `2a01:4f8:0:${(n % 4).toString(16)}::${n.toString(16)}`)),
      ...Array.from({ length: 300 }, (_, n) => peer(8000 + n, `2a02:4f8:${n.toString(16)}::1`)),
    ])
    const random = seededRandom(1)
    for (let n = 0; n < 200; n++) {
      const picked = selectPeers(registry, { ...ASK, limit: 1000 }, random)
      assert.ok(picked.length > FEW)
      assert.equal(new Set(picked.map(({ id }) => id)).size, picked.length)
      for (const [bits4, bits6, most] of [
        [32, 64, 1],
        [24, 48, MAX_PER_SUBNET],
        [16, 32, MAX_PER_GROUP],
      ] as const) {
        const counts = countBy(picked, ({ registrations }) => {
          const ip = ipOf(registrations[0]!.address)
          return ip.family === 4 ? (bits4 === 32 ? ip.text : prefixOf(ip, bits4)) : prefixOf(ip, bits6)
        })
        assert.ok(Math.max(...counts.values()) <= most, `${bits4}/${bits6}`)
      }
    }
  })

  it('lifts the caps where few would remain, up to few', () => {
    const neighbours = Array.from({ length: 100 }, (_, n) => peer(n, `8.8.8.${n}`))
    for (const count of [3, 10, FEW, 100]) {
      const picked = selectPeers(tableOf(neighbours.slice(0, count)), ASK, seededRandom(count))
      assert.equal(picked.length, Math.min(count, FEW))
    }
    assert.equal(selectPeers(tableOf(neighbours), { ...ASK, limit: 5 }, seededRandom(1)).length, 5)
  })

  it('lifts them in steps, and gives one IP two places at the most where there are others', () => {
    const honest = Array.from({ length: 10 }, (_, n) => peer(1000 + n, `20.${n}.0.1`))
    const share = (attacker: readonly Listed[]) => {
      const picked = selectPeers(tableOf([...honest, ...attacker]), ASK, seededRandom(2))
      const own = new Set(honest.map(({ peerId }) => peerId))
      assert.ok(honest.every(({ peerId }) => picked.some(({ id }) => id === peerId)))
      return picked.filter(({ id }) => !own.has(id)).length
    }
    assert.equal(share(Array.from({ length: 16 }, (_, n) => peer(n, '8.8.8.8', 4001 + n))), 2)
    // Eight of a /24 come before more than that of a /16.
    const subnet = Array.from({ length: 8 }, (_, n) => peer(n, `8.8.8.${n}`))
    const others = Array.from({ length: 24 }, (_, n) => peer(100 + n, `9.${n}.0.1`))
    assert.equal(share([...subnet, ...others.slice(0, 14)]), 22)
    assert.equal(share([...Array.from({ length: 60 }, (_, n) => peer(n, `8.8.8.${n}`)), ...others.slice(0, 14)]), 22)
    // Alone they find each other.
    const machine = Array.from({ length: 16 }, (_, n) => peer(n, '8.8.8.8', 4001 + n))
    assert.equal(selectPeers(tableOf(machine), ASK, seededRandom(1)).length, 16)
  })

  it('leaves the caps alone where enough remain without', () => {
    const others = Array.from({ length: FEW }, (_, n) => peer(1000 + n, `20.${n}.0.1`))
    const registry = tableOf([...others, ...Array.from({ length: 100 }, (_, n) => peer(n, `8.8.8.${n}`))])
    const picked = selectPeers(registry, ASK, seededRandom(1))
    assert.ok(picked.filter(({ id }) => Number(id) < 100).length <= MAX_PER_SUBNET)
  })

  it('knows no caps on loopback and in private ranges', () => {
    const registry = tableOf(Array.from({ length: 300 }, (_, n) => peer(n, '127.0.0.1', 4001 + n)))
    assert.equal(selectPeers(registry, { ...ASK, scope: 'loopback' }, seededRandom(1)).length, 250)
    assert.equal(selectPeers(registry, { ...ASK, scope: 'loopback', limit: 1000 }, seededRandom(1)).length, 300)
  })

  it('finds everybody behind several addresses each', () => {
    const registry = tableOf(Array.from({ length: 300 * 8 }, (_, n) => peer(n % 300, '127.0.0.1', 4001 + n)))
    assert.equal(selectPeers(registry, { ...ASK, scope: 'loopback' }, seededRandom(1)).length, 250)
  })

  it('shows a private range to askers from that range alone, and the public to all', () => {
    const homes: Record<Exclude<Scope, 'special'>, string> = {
      public: '8.8.8.8',
      loopback: '127.0.0.1',
      'private-10': '10.0.0.1',
      'private-172': '172.16.0.1',
      'private-192': '192.168.0.1',
      shared: '100.64.0.1',
      'link-local': '169.254.0.1',
      'unique-local': 'fd00::1',
    }
    const registry = tableOf(Object.entries(homes).map(([scope, ip]) => ({ peerId: scope, address: addressOf(ip) })))
    for (const scope of [...Object.keys(homes), 'special'] as Scope[]) {
      const picked = selectPeers(registry, { ...ASK, scope }, seededRandom(1)).map(({ id }) => id)
      const expected = scope === 'public' || scope === 'special' ? ['public'] : ['public', scope]
      assert.deepEqual(picked.sort(), expected.sort())
      assert.ok(picked.every((id) => scopeOf(ipOf(addressOf(homes[id as 'public']))) === id))
    }
  })

  it("holds as many of the asker's own range as their number deserves, and is filled up with the others", () => {
    const locals = Array.from({ length: 100 }, (_, n) => peer(n, '10.0.0.1', 4001 + n))
    const publics = Array.from({ length: 300 }, (_, n) => peer(1000 + n, `20.${n % 256}.${n >> 8}.1`))
    const both = selectPeers(
      tableOf([...locals, ...publics]),
      { ...ASK, scope: 'private-10', limit: 40 },
      seededRandom(1),
    )
    assert.equal(both.filter(({ id }) => Number(id) < 1000).length, 10)
    assert.equal(both.length, 40)
    const few = selectPeers(
      tableOf([...locals, ...publics.slice(0, 5)]),
      { ...ASK, scope: 'private-10', limit: 90 },
      seededRandom(1),
    )
    assert.equal(few.length, 90)
  })

  it("never holds the asker, nor who is not current, nor another network's", () => {
    const registry = tableOf(crowd.slice(0, 20))
    const picked = selectPeers(
      registry,
      { ...ASK, except: '7', current: ({ peer: { id } }) => id !== '9' },
      seededRandom(1),
    )
    assert.deepEqual(
      new Set(picked.map(({ id }) => id)),
      new Set(
        crowd
          .slice(0, 20)
          .map(({ peerId }) => peerId)
          .filter((id) => id !== '7' && id !== '9'),
      ),
    )
    assert.deepEqual(selectPeers(registry, { ...ASK, network: 'other' }, seededRandom(1)), [])
    assert.deepEqual(selectPeers(registry, { ...ASK, limit: 0 }, seededRandom(1)), [])
  })
})

describe('chance', () => {
  it('gives each network group, and each member of a group, the same', () => {
    const sizes = [1, 2, 5, 10, 20]
    const peers = sizes.flatMap((size, group) =>
      Array.from({ length: size }, (_, n) => peer(group * 100 + n, `20.${group}.${n}.1`)),
    )
    const registry = tableOf(peers)
    const random = seededRandom(3)
    const draws = 20_000
    const picks = Array.from({ length: draws }, () => selectPeers(registry, { ...ASK, limit: 1 }, random)[0]!)
    const group = (id: string) => String(Math.floor(Number(id) / 100))
    assert.ok(chiSquare([...countBy(picks, ({ id }) => group(id)).values()], draws / 5) < 18.5) // p > 0.001 at 4 degrees
    for (const [at, size] of sizes.entries()) {
      const inside = picks.filter(({ id }) => group(id) === String(at))
      const counts = countBy(inside, ({ id }) => id)
      assert.equal(counts.size, size)
      assert.ok(chiSquare([...counts.values()], inside.length / size) < 43.9) // p > 0.001 at 19 degrees
    }
  })

  it('gives everybody the same in a group of its own when an answer is full', () => {
    const registry = tableOf(Array.from({ length: 500 }, (_, n) => peer(n, `${20 + (n >> 8)}.${n & 255}.0.1`)))
    const random = seededRandom(4)
    const counts = new Map<string, number>()
    for (let n = 0; n < 500; n++) {
      for (const { id } of selectPeers(registry, ASK, random)) {
        counts.set(id, (counts.get(id) ?? 0) + 1)
      }
    }
    assert.equal(counts.size, 500)
    // Drawn without repetition, so the spread is half as wide as chi-square's. p > 0.001 at 499 degrees is 603.
    assert.ok(chiSquare([...counts.values()], 250) < 603)
  })
})

describe('those that have answered for long', () => {
  for (const [established, recent, least] of [
    [400, 100, 0.8],
    [400, 400, 0.69],
    [1000, 3000, 0.69],
    [300, 200, 0.6],
    [150, 150, 0.5],
  ] as const) {
    it(`are at least ${least * 100} % of an answer when ${established} groups of ${established + recent} are established`, () => {
      const peers = Array.from({ length: established + recent }, (_, n) => ({
        ...peer(n, `${20 + (n >> 8)}.${n & 255}.0.1`),
        established: n < established,
      }))
      const registry = tableOf(peers)
      const random = seededRandom(5)
      const picked = Array.from({ length: 100 }, () => selectPeers(registry, ASK, random)).flat()
      const share = picked.filter(({ id }) => Number(id) < established).length / picked.length
      assert.ok(share >= least - 0.015, `${share}`)
      assert.ok(share < 1, 'the young are seen too')
    })
  }

  it(`are ${ESTABLISHED_SHARE * 100} % of those of one group`, () => {
    const peers = Array.from({ length: 200 }, (_, n) => ({ ...peer(n, `20.0.${n}.1`), established: n < 100 }))
    const random = seededRandom(6)
    const registry = tableOf(peers)
    const picks = Array.from({ length: 4000 }, () => selectPeers(registry, { ...ASK, limit: 1 }, random)[0]!)
    assert.ok(Math.abs(picks.filter(({ id }) => Number(id) < 100).length / 4000 - ESTABLISHED_SHARE) < 0.03)
  })
})

describe('the cost of an answer', () => {
  it('does not grow with the table: random numbers drawn for 1000, and for 200,000 peers', () => {
    const drawn = (groups: number, each: number) => {
      const peers = Array.from({ length: groups * each }, (_, n) => {
        const group = n % groups
        return peer(n, `${20 + (group >> 8)}.${group & 255}.${Math.floor(n / groups)}.1`)
      })
      const random = seededRandom(7)
      let numbers = 0
      selectPeers(tableOf(peers), ASK, () => {
        numbers++
        return random()
      })
      return numbers
    }
    assert.equal(drawn(1000, 1), drawn(1000, 200))
    assert.ok(drawn(100, 250) < 1000)
  })

  it('stays bounded when crowds are capped or out of date', () => {
    const crowds = Array.from({ length: 20_000 }, (_, n) =>
      peer(n, `20.${n % 4}.${(n >> 2) & 1}.${(n >> 3) % 16}`, 1024 + (n >> 3)),
    )
    let looks = 0
    const current = () => looks++ < 0
    selectPeers(tableOf(crowds), { ...ASK, current }, seededRandom(8))
    assert.ok(looks <= 2 * 4 * 1025, `${looks}`)
  })
})

function peer(n: number, ip: string, port = 4001): Listed {
  return { peerId: String(n), address: addressOf(ip, port) }
}

function addressOf(ip: string, port = 4001): string {
  return `/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/${port}`
}

function countBy(peers: readonly RegisteredPeer[], key: (peer: RegisteredPeer) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const each of peers) {
    counts.set(key(each), (counts.get(key(each)) ?? 0) + 1)
  }
  return counts
}

function chiSquare(counts: readonly number[], expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}
