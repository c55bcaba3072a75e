import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  MAX_EXCHANGES,
  MAX_EXCHANGES_OF_IP,
  MAX_EXCHANGES_OF_SUBNET,
  type Place,
  Places,
  READ_TIMEOUT_MS,
  SHORTEST_READ_TIMEOUT_MS,
} from '../../../src/frontends/exchanges/places.ts'
import { callerAt } from '../../../src/peer/caller.ts'

/** A caller at an IP; its PeerId is `id`. */
function callerOf(ip: string, id = `peer of ${ip}`) {
  return callerAt(id, `/${ip.includes(':') ? 'ip6' : 'ip4'}/${ip}/tcp/4001`)!
}

/** Takes places in a table and says whose gave way. */
function tableOf(max?: number) {
  const places = new Places(max)
  const gone: string[] = []
  const enter = (ip: string, id?: string): Place | undefined =>
    places.enter(callerOf(ip, id), () => gone.push(id ?? ip))
  return { places, gone, enter }
}

describe('the places of exchanges', () => {
  it('are as many as there may be of one IP, one subnet and in all', () => {
    const { places, enter } = tableOf()
    for (let i = 0; i < 2 * MAX_EXCHANGES_OF_IP; i++) {
      enter('45.1.1.1')
    }
    assert.equal(places.taken, MAX_EXCHANGES_OF_IP)
    for (let i = 0; i < 2 * MAX_EXCHANGES_OF_SUBNET; i++) {
      enter(`45.1.1.${1 + (i % 200)}`)
    }
    assert.equal(places.taken, MAX_EXCHANGES_OF_SUBNET)
    for (let i = 0; i < 2 * MAX_EXCHANGES; i++) {
      enter(`45.${i % 256}.${i >> 8}.1`)
    }
    assert.equal(places.taken, MAX_EXCHANGES)
  })

  it('of a translated address are those of the IPv4 address inside', () => {
    const { places, enter } = tableOf()
    for (let i = 0; i < 2 * MAX_EXCHANGES_OF_IP; i++) {
      enter(i % 2 === 0 ? '45.1.1.1' : '2002:2d01:101::1')
    }
    assert.equal(places.taken, MAX_EXCHANGES_OF_IP)
  })

  it('of loopback and private ranges have only the limit of all', () => {
    const { places, enter } = tableOf()
    for (const ip of ['127.0.0.1', '10.1.1.1']) {
      for (let i = 0; i < MAX_EXCHANGES / 2; i++) {
        assert.ok(enter(ip) !== undefined)
      }
    }
    assert.equal(places.taken, MAX_EXCHANGES)
    assert.equal(enter('127.0.0.1'), undefined)
  })

  it('are had by a newcomer whose group has less, the longest silent of the most crowded peer first', () => {
    const { gone, enter } = tableOf(8)
    // Two in one group, and six in the other: four of one subnet, of them three of one IP, of them two of one peer.
    for (const [ip, id] of [
      ['45.2.1.1', 'small'],
      ['45.2.2.1', 'small too'],
      ['45.1.2.1', 'other subnet'],
      ['45.1.3.1', 'third subnet'],
      ['45.1.1.2', 'other IP'],
      ['45.1.1.1', 'alone'],
      ['45.1.1.1', 'crowded'],
      ['45.1.1.1', 'crowded'],
    ] as const) {
      enter(ip, id)
    }
    assert.ok(enter('45.3.1.1', 'new') !== undefined)
    assert.deepEqual(gone, ['crowded'])
  })

  for (const [family, crowd, newcomer] of [
    ['IPv4 /16', (i: number) => `45.1.${i % 200}.${1 + (i >> 8)}`, '45.2.1.1'],
    ['IPv6 /32', (i: number) => `2a00:1:${(i % 200).toString(16)}::${1 + (i >> 8)}`, '2a00:2::1'],
  ] as const) {
    it(`of one ${family} leave room for every newcomer from elsewhere`, () => {
      const { places, gone, enter } = tableOf()
      for (let i = 0; i < 2 * MAX_EXCHANGES; i++) {
        enter(crowd(i))
      }
      assert.equal(places.taken, MAX_EXCHANGES)
      gone.length = 0
      for (let i = 0; i < 10; i++) {
        assert.ok(enter(newcomer, `newcomer ${i}`) !== undefined)
      }
      assert.equal(gone.length, 10)
      assert.ok(gone.every((each) => !each.startsWith('newcomer')))
    })
  }

  it('are not taken in turns by equals', () => {
    const { gone, enter } = tableOf(4)
    for (const ip of ['45.1.1.1', '45.1.1.1', '45.2.1.1', '45.2.1.1']) {
      enter(ip)
    }
    assert.equal(enter('45.1.1.1'), undefined)
    assert.equal(enter('45.2.2.1'), undefined)
    assert.ok(enter('45.3.1.1') !== undefined)
    assert.equal(gone.length, 1)
  })

  it('do not give way while something is done for their callers', () => {
    const { places, gone, enter } = tableOf(2)
    const [first, second] = [enter('45.1.1.1', 'first')!, enter('45.1.1.1', 'second')!]
    first.begin()
    second.begin()
    second.begin()
    second.end()
    assert.equal(places.silent, 0)
    assert.equal(enter('45.2.1.1', 'new'), undefined)
    // Silent again, and both of them one peer's crowd no more: the IP is.
    first.end()
    assert.ok(enter('45.2.1.1', 'new') !== undefined)
    assert.deepEqual(gone, ['first'])
    second.end()
    assert.equal(places.silent, 2)
  })

  it('are counted right whatever happens in which order', () => {
    const { places, enter } = tableOf(50)
    const open = new Set<Place>()
    let seed = 1
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    for (let i = 0; i < 20_000; i++) {
      const place = enter(`45.${random(3)}.${random(3)}.${random(3)}`, `peer ${random(3)}`)
      if (place !== undefined) {
        open.add(place)
        if (random(3) === 0) {
          place.begin()
        }
      }
      assert.ok(places.taken <= 50 && places.silent <= places.taken)
      for (const each of [...open].slice(0, random(3))) {
        each.leave()
        each.leave()
        open.delete(each)
      }
    }
    for (const each of open) {
      each.leave()
    }
    assert.deepEqual([places.taken, places.silent], [0, 0])
  })

  it('leave a request less time the fewer there are: 5 s up to half, half a second at the last', () => {
    const { places, enter } = tableOf(100)
    const times: number[] = []
    for (let i = 0; i < 100; i++) {
      times.push(places.readTimeout)
      enter(`45.${i}.1.1`)
    }
    assert.ok(times.slice(0, 51).every((ms) => ms === READ_TIMEOUT_MS))
    assert.ok(times.slice(51).every((ms, i) => ms < times[50 + i]!))
    assert.equal(places.readTimeout, SHORTEST_READ_TIMEOUT_MS)
  })
})
