import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseIp, scopeOf } from '../../src/peer/ip.ts'
import type { AddressOutcome } from '../../src/point/point-api.ts'
import type { Proof } from '../../src/point/prover.ts'
import type { RendezvousPointInit } from '../../src/point/rendezvous-point.ts'
import { PROTECTED_AFTER_MS, PUBLIC_LIMITS, PUBLIC_LIMITS_OF_ALL } from '../../src/policy/room.ts'
import { neighbourhoodsOf } from '../../src/registry/neighbourhoods.ts'
import type { Registration } from '../../src/registry/registration.ts'
import { fileStore } from '../../src/store/file/file-store.ts'
import { StoreUnavailableError } from '../../src/store/store.ts'
import { fakeDisk } from '../store/file/fake-disk.ts'
import { callerFrom, type TestPoint, testPoint } from '../support/points.ts'
import { seededRandom } from '../support/random.ts'
import { RULES } from '../support/rules.ts'
import { HOUR, NOW } from '../support/tables.ts'

const NEVER = new AbortController().signal
/** Longer than the tests last. */
const TTL_MS = 72 * HOUR

describe('a subnet whose places attackers hold', () => {
  const attacks = [
    ['four addresses of a /24', many(4, (n) => `8.8.8.${n}`), PUBLIC_LIMITS['ip4/24'], '8.8.8.200', 'limit_subnet'],
    [
      '16 /24s of a /16',
      many(64, (n) => `8.8.${n >> 2}.${n & 3}`),
      PUBLIC_LIMITS['ip4/16'],
      '8.8.200.1',
      'limit_subnet',
    ],
    ['one machine in a shared /64', ['2a01:4f8:1:1::1'], PUBLIC_LIMITS['ip6/64'], '2a01:4f8:1:1::f1', 'limit_ip'],
    [
      'two /64s of a /56',
      many(2, (n) => `2a01:4f8:1:${n + 1}::1`),
      PUBLIC_LIMITS['ip6/56'],
      '2a01:4f8:1:9::1',
      'limit_subnet',
    ],
    [
      'four /64s of a /48',
      ['1', '2', '101', '102'].map((each) => `2a01:4f8:1:${each}::1`),
      PUBLIC_LIMITS['ip6/48'],
      '2a01:4f8:1:ff00::1',
      'limit_subnet',
    ],
  ] as const

  for (const [what, attackers, places, neighbour, code] of attacks) {
    it(`(${what}) has one for a neighbour, and they keep the others`, async () => {
      const world = new World()
      await world.fill('mychain', attackers)
      assert.equal(world.size, places)
      const victim = newest(world, attackers)
      world.now += PROTECTED_AFTER_MS / 2

      assert.equal(await world.register('neighbour', neighbour, 'mychain'), 'listed')
      assert.equal(world.size, places)
      assert.equal(world.evicted.length, 1)
      const [evicted] = world.evicted as [Registration]
      assert.ok(evicted === victim || attackers.length > 2, `${evicted.peer.id} instead of ${victim.peer.id}`)
      assert.ok(!world.listed('mychain').has(evicted.peer.id))
      assert.ok(world.listed('mychain').has('neighbour'))

      assert.equal(await world.renew(evicted), code)
      assert.equal(await world.register('neighbour', neighbour, 'mychain'), 'listed', 'it renews')
      assert.equal(world.evicted.length, 1)
    })

    it(`(${what}) stays theirs once they have been there for an hour`, async () => {
      const world = new World()
      await world.fill('mychain', attackers)
      world.now += PROTECTED_AFTER_MS
      assert.equal(await world.register('neighbour', neighbour, 'mychain'), code)
      assert.equal(world.evicted.length, 0)
    })

    it(`(${what}) in a network nobody asks for has its room for the other networks, however long they are there`, async () => {
      const world = new World()
      await world.fill('junk', attackers)
      assert.equal(world.size, places)
      world.now += 5 * PROTECTED_AFTER_MS
      assert.equal(await world.register('neighbour', neighbour, 'mychain'), 'listed')
      assert.equal(world.evicted.length, 0)
    })
  }

  it('in any number of networks gives way, too', async () => {
    const world = new World()
    const attackers = many(16, (n) => `8.8.8.${n}`)
    for (let n = 0; n < 40; n++) {
      await world.fill(`junk ${n}`, attackers)
    }
    assert.equal(world.size, PUBLIC_LIMITS_OF_ALL['ip4/24'])
    assert.equal(await world.register('neighbour', '8.8.8.200', 'mychain'), 'listed')
    assert.equal(world.evicted.length, 1)
    assert.equal(world.size, PUBLIC_LIMITS_OF_ALL['ip4/24'])
  })

  it('is shared evenly by all that want more, and nobody in it is put out twice for the same place', async () => {
    const world = new World()
    const random = seededRandom(1)
    const ips = many(20, (n) => `8.8.8.${n}`)
    // The first three ask ten times as often.
    for (let n = 0; n < 6000; n++) {
      const ip = ips[Math.floor(random() < 0.8 ? random() * 3 : random() * ips.length)]!
      await world.register(`peer ${n}`, ip, 'mychain')
      world.now += 10
    }
    const held = ips.map((ip) => world.countAt(ip))
    assert.equal(world.size, PUBLIC_LIMITS['ip4/24'])
    assert.ok(Math.max(...held) - Math.min(...held) <= 1, `${held}`)
    assert.ok(world.evicted.length < PUBLIC_LIMITS['ip4/24'], `${world.evicted.length}`)
  })

  it('has no place for an address that does not answer, nor for one that may not have answered yet', async () => {
    const world = new World()
    await world.fill('mychain', ['8.8.8.1', '8.8.8.2', '8.8.8.3', '8.8.8.4'])
    world.proof = { ok: false, fault: 'dial_timeout' }
    assert.equal(await world.register('silent', '8.8.8.200', 'mychain'), 'dial_timeout')
    world.proof = undefined
    assert.equal(await world.register('slow', '8.8.8.200', 'mychain'), 'dial_busy')
    assert.equal(world.evicted.length, 0)
    assert.equal(world.size, PUBLIC_LIMITS['ip4/24'])
  })

  it('gives the place of one that missed its last proof, however long it was there', async () => {
    const world = new World()
    await world.fill('mychain', ['8.8.8.1', '8.8.8.2', '8.8.8.3', '8.8.8.4'])
    world.now += PROTECTED_AFTER_MS
    assert.equal(await world.register('neighbour', '8.8.8.200', 'mychain'), 'limit_subnet')
    const [gone] = world.parts.registry.all()
    world.parts.point.recordProof(gone!, { ok: false, fault: 'dial_timeout' })
    assert.equal(await world.register('neighbour', '8.8.8.200', 'mychain'), 'listed')
    assert.deepEqual(world.evicted, [gone])
  })

  it('never gives the place of an entry of the operator', async () => {
    const world = new World()
    for (let n = 0; n < PUBLIC_LIMITS.ip; n++) {
      world.parts.registry.identify(
        { network: 'mychain', peerId: `own ${n}`, address: `/ip4/8.8.8.1/tcp/${4001 + n}` },
        NOW,
      )
    }
    await world.fill('mychain', ['8.8.8.2', '8.8.8.3', '8.8.8.4'])
    for (let n = 0; n < 20; n++) {
      await world.register(`neighbour ${n}`, `8.8.8.${100 + n}`, 'mychain')
    }
    assert.ok(world.evicted.length > 15)
    assert.equal(world.countAt('8.8.8.1'), PUBLIC_LIMITS.ip)
  })

  it('takes two newcomers that are proved at the same time, and puts out one for each', async () => {
    const world = new World()
    await world.fill('mychain', ['8.8.8.1', '8.8.8.2', '8.8.8.3', '8.8.8.4'])
    const both = [
      world.register('one', '8.8.8.100', 'mychain'),
      world.register('two', '8.8.8.101', 'mychain'),
      world.register('three', '8.8.8.102', 'mychain'),
    ]
    assert.deepEqual(await Promise.all(both), ['listed', 'listed', 'listed'])
    assert.equal(world.evicted.length, 3)
    assert.equal(world.size, PUBLIC_LIMITS['ip4/24'])
  })
})

describe('a registration that gives way', () => {
  const attackers = ['8.8.8.1', '8.8.8.2', '8.8.8.3', '8.8.8.4']

  it('stays when the store does not take the change', async () => {
    let isFull = false
    const store = {
      append: async () => {
        if (isFull) {
          throw new StoreUnavailableError('ENOSPC', undefined)
        }
      },
    }
    const world = new World({ store })
    await world.fill('mychain', attackers)
    const before = world.listed('mychain')
    isFull = true
    assert.equal(await world.register('neighbour', '8.8.8.200', 'mychain'), 'unavailable')
    assert.deepEqual(world.listed('mychain'), before)
    assert.deepEqual(world.evicted, [])
    isFull = false
    assert.equal(await world.register('neighbour', '8.8.8.200', 'mychain'), 'listed')
    assert.equal(world.evicted.length, 1)
  })

  it('is gone after a crash, and the one that it gave way to is there', async () => {
    const disk = fakeDisk()
    const process = disk.process()
    const store = fileStore({ path: '/data/peers.json', clock: () => NOW, ...process })
    await store.open()
    const world = new World({ store })
    await world.fill('mychain', attackers)
    assert.equal(await world.register('neighbour', '8.8.8.200', 'mychain'), 'listed')
    process.kill()
    const again = fileStore({ path: '/data/peers.json', clock: () => NOW, ...disk.process() })
    const { records } = await again.open()
    await again.close()
    const restored = new Set(records.map(({ peerId }) => peerId))
    assert.ok(restored.has('neighbour'))
    assert.ok(!restored.has(world.evicted[0]!.peer.id))
    assert.equal(restored.size, PUBLIC_LIMITS['ip4/24'])
  })
})

describe('as many networks as there may be', () => {
  const rules = { ...RULES, maxNetworks: 100 }

  it('held by a few addresses have room for new ones from elsewhere, and none of those is lost again', async () => {
    const world = new World({ rules })
    for (let n = 0; n < 200; n++) {
      await world.register(`squatter ${n}`, `8.8.${n % 7}.1`, `junk ${n}`)
    }
    assert.equal(world.parts.registry.networkCount, 100)
    world.now += 5 * HOUR
    for (let n = 0; n < 30; n++) {
      assert.equal(await world.register(`founder ${n}`, `${20 + n}.8.8.8`, `chain ${n}`), 'listed')
      await world.register(`squatter again ${n}`, `8.8.${n % 7}.1`, `more ${n}`)
    }
    assert.equal(world.parts.registry.networkCount, 100)
    for (let n = 0; n < 30; n++) {
      assert.ok(world.listed(`chain ${n}`).has(`founder ${n}`))
    }
    assert.ok(world.evicted.every(({ peer }) => peer.id.startsWith('squatter')))
    for (let n = 0; n < 14; n++) {
      await world.register(`squatter still ${n}`, `8.8.${n % 7}.1`, `still more ${n}`)
    }
    assert.equal(await world.register('squatter', '8.8.1.1', 'one too many'), 'limit_networks')
  })

  it('are more than 64 addresses can hold, also with two peers in each', async () => {
    const world = new World()
    for (let n = 0; n < 1000; n++) {
      for (const peer of ['one', 'two']) {
        await world.register(`${peer} ${n}`, `${20 + (n % 64)}.8.8.8`, `junk ${n}`)
      }
    }
    assert.ok(world.parts.registry.networkCount < 600, `${world.parts.registry.networkCount}`)
    assert.equal(await world.register('founder', '9.9.9.9', 'new'), 'listed')
  })

  it('never take one with two proved peers, however crowded their subnet', async () => {
    const world = new World({ rules })
    for (let n = 0; n < 100; n++) {
      await world.register(`one ${n}`, `8.8.${n}.1`, `chain ${n}`)
      await world.register(`two ${n}`, `8.8.${n}.2`, `chain ${n}`)
    }
    assert.equal(await world.register('founder', '9.9.9.9', 'new'), 'limit_networks')
    // One of them misses a proof: its network has one proved peer.
    const [missing] = world.parts.registry.registrationsOf('chain 50', 'two 50')
    world.parts.point.recordProof(missing!, { ok: false, fault: 'dial_timeout' })
    assert.equal(await world.register('founder', '9.9.9.9', 'new'), 'listed')
    assert.deepEqual(new Set(world.evicted.map(({ peer }) => peer.network)), new Set(['chain 50']))
    assert.equal(world.parts.registry.networkSize('chain 50'), 0)
  })

  it('take no network for an address that does not answer', async () => {
    const world = new World({ rules })
    for (let n = 0; n < 100; n++) {
      await world.register(`squatter ${n}`, `8.8.${n % 7}.1`, `junk ${n}`)
    }
    world.proof = { ok: false, fault: 'dial_refused' }
    assert.equal(await world.register('founder', '9.9.9.9', 'new'), 'dial_refused')
    world.proof = undefined
    assert.equal(await world.register('founder', '9.9.9.9', 'new'), 'dial_busy')
    assert.equal(world.evicted.length, 0)
    assert.equal(world.parts.registry.networkCount, 100)
  })

  it('leave the network without a name open', async () => {
    const world = new World({ rules })
    for (let n = 0; n < 100; n++) {
      await world.register(`squatter ${n}`, `8.8.${n % 7}.1`, `junk ${n}`)
    }
    assert.equal(await world.register('peer', '9.9.9.9', ''), 'listed')
    assert.equal(world.evicted.length, 0)
  })
})

/** A point, and what is asked of it, each time from the address that is registered. Each dial-back has the same result. */
class World {
  now = NOW
  proof: Proof | undefined = { ok: true }
  readonly evicted: Registration[] = []
  readonly parts: TestPoint
  #port = 4001

  constructor(over: Partial<RendezvousPointInit> = {}) {
    this.parts = testPoint({
      dial: async () => ({ fault: 'dial_refused' }),
      prover: { prove: async () => this.proof },
      clock: () => this.now,
      watcher: { tracked() {}, evicted: (registration) => this.evicted.push(registration) },
      ...over,
    })
  }

  get size(): number {
    return this.parts.registry.size
  }

  /** Takes all places that these addresses can have, with one peer for each. */
  async fill(network: string, ips: readonly string[]): Promise<void> {
    for (let n = 0; n < PUBLIC_LIMITS.ip; n++) {
      for (const ip of ips) {
        await this.register(`${ip} ${network} ${n}`, ip, network)
      }
    }
  }

  /** The status of the outcome, or the code of the refusal. */
  async register(peerId: string, ip: string, network: string): Promise<string> {
    const known = this.parts.registry.registrationsOf(network, peerId)[0]?.address
    return await this.#register(
      peerId,
      known ?? `/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/${(this.#port++ % 60_000) + 1024}`,
      network,
    )
  }

  async renew({ peer, address }: Registration): Promise<string> {
    return await this.#register(peer.id, address, peer.network)
  }

  /** The peers that are handed out. */
  listed(network: string): Set<string> {
    const { listing } = this.parts.point
    return new Set(
      [...this.parts.registry.peers(network)].filter((peer) => listing.heldOf(peer).length > 0).map(({ id }) => id),
    )
  }

  countAt(text: string): number {
    const ip = parseIp(text)!
    const [[kind, key]] = neighbourhoodsOf(ip, scopeOf(ip)) as [ReturnType<typeof neighbourhoodsOf>[0]]
    return this.parts.registry.occupancy.count(kind, key)
  }

  async #register(peerId: string, address: string, network: string): Promise<string> {
    const request = { network, addresses: [address], ttlMs: TTL_MS }
    const [outcome] = await this.parts.point.register(callerFrom(peerId, address), request, NEVER)
    return textOf(outcome!)
  }
}

function textOf(outcome: AddressOutcome): string {
  return outcome.status === 'refused' ? outcome.refusal.code : outcome.status
}

/** The last registration that came from one of these. */
function newest(world: World, ips: readonly string[]): Registration {
  return [...world.parts.registry.all()].filter(({ address }) => ips.some((ip) => address.includes(`/${ip}/`))).at(-1)!
}

function many<Value>(count: number, make: (n: number) => Value): Value[] {
  return Array.from({ length: count }, (_, n) => make(n))
}
