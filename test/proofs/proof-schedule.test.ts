import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  isStatic,
  type Registration,
  type RegistrationRecord,
  type StaticEntry,
} from '../../src/registry/registration.ts'
import { callerFrom, INTERVAL, MAX_AGE, type TestPoint, type TestPointInit, testPoint } from '../support/points.ts'
import { seededRandom } from '../support/random.ts'
import { HOUR, NOW } from '../support/tables.ts'
import { type VirtualTime, virtualTime } from '../support/virtual-time.ts'

const SECOND = 1000
const MINUTE = 60_000
const TICK = 250
const HOME = '/ip4/8.8.8.8/tcp/4001'

describe('what has answered', () => {
  it('is proved again after 5 minutes while it is new and up to 18 when it is old, with jitter, never after more', async () => {
    const net = network()
    const old = '/ip4/9.9.9.9/tcp/4001'
    for (const address of [HOME, old]) {
      net.answers.set(address, 'peer')
    }
    net.add('peer', HOME)
    const [registeredAt, expiresAt, provedAt] = [NOW - 24 * HOUR, NOW + 24 * HOUR, NOW - MINUTE]
    const record = { network: 'old', peerId: 'peer', address: old, registeredAt, expiresAt, provedAt }
    net.point.operatorList.restore({ records: [record], statics: [], trusted: true, warnings: [] })
    await net.advance(8 * HOUR)
    const gaps = net.gaps(HOME)
    assert.ok(
      [...gaps, ...net.gaps(old)].every((gap) => gap >= 5 * MINUTE - TICK && gap <= 18 * MINUTE + 2 * TICK),
      `${gaps} ${net.gaps(old)}`,
    )
    assert.ok(gaps[0]! <= 6.2 * MINUTE, `${gaps}`)
    const mean = net.gaps(old).reduce((sum, gap) => sum + gap, 0) / net.gaps(old).length
    assert.ok(mean > 15.8 * MINUTE && mean < 17 * MINUTE, `${mean}`)
    assert.ok(new Set(gaps).size > gaps.length / 2, 'they differ')
  })

  it('is out of the answers at its first miss, asked again after 15 s, 1 min and 5 min, and back once it answers', async () => {
    const net = network()
    net.answers.set(HOME, 'peer')
    const registration = net.add('peer', HOME)
    await net.advance(SECOND)
    assert.ok(net.isHandedOut('peer'))
    const missed = net.dials(HOME).length
    net.answers.delete(HOME)
    await net.until(() => net.dials(HOME).length > missed)
    assert.ok(!net.isHandedOut('peer'))
    await net.advance(8 * MINUTE)
    const gaps = net.gaps(HOME).slice(missed)
    for (const [n, expected] of [15 * SECOND, MINUTE, 5 * MINUTE].entries()) {
      assert.ok(Math.abs(gaps[n]! - expected) <= 0.2 * expected + TICK, `${gaps}`)
    }
    assert.equal(registration.misses, 4)
    net.answers.set(HOME, 'peer')
    await net.until(() => net.isHandedOut('peer'))
    assert.equal(registration.misses, 0)
  })

  it('is given up after eight misses in a row, more than an hour after the first', async () => {
    const net = network()
    net.answers.set(HOME, 'peer')
    net.add('peer', HOME)
    await net.advance(SECOND)
    net.answers.delete(HOME)
    const died = net.time.now()
    await net.until(() => net.registry.size === 0)
    assert.ok(net.time.now() - died > HOUR && net.time.now() - died < 2 * HOUR)
    assert.deepEqual(net.stored.at(-1), { kind: 'remove', key: { network: '', peerId: 'peer', address: HOME } })
    const dials = net.dials(HOME).length
    await net.advance(HOUR)
    assert.equal(net.dials(HOME).length, dials)
  })

  it('is not blamed for our own lack of time', async () => {
    const net = network()
    net.answers.set(HOME, 'peer')
    const registration = net.add('peer', HOME)
    await net.advance(SECOND)
    net.busy = true
    await net.advance(10 * MINUTE)
    assert.equal(registration.misses, 0)
    assert.ok(net.isHandedOut('peer'))
    await net.advance(15 * MINUTE)
    assert.ok(!net.isHandedOut('peer'), 'too long ago to vouch for')
    net.busy = false
    await net.advance(2 * MINUTE)
    assert.ok(net.isHandedOut('peer'))
  })

  it('has its older addresses of that family proved again at once when it proves a new one', async () => {
    for (const late of [false, true]) {
      const net = network()
      const [old, other, fresh] = [HOME, '/ip6/2a01:4f8::1/tcp/4001', '/ip4/9.9.9.9/tcp/4001']
      for (const address of [old, other, fresh]) {
        net.answers.set(address, 'peer')
      }
      net.add('peer', old)
      net.add('peer', other)
      await net.advance(HOUR)
      const dialled = (address: string) => net.dials(address).length
      const before = [dialled(old), dialled(other)]
      net.answers.delete(old)
      if (late) {
        // The proof that answers comes from the schedule: the registration itself stayed undecided.
        await net.point.register(
          callerFrom('peer', fresh),
          { network: '', addresses: [fresh], ttlMs: 7_200_000 },
          AbortSignal.abort(),
        )
      } else {
        net.register('peer', fresh)
      }
      await net.advance(2 * SECOND)
      assert.deepEqual([dialled(old), dialled(other)], [before[0]! + 1, before[1]!])
      assert.deepEqual(net.addressesOf('peer').sort(), [fresh, other].sort())
    }
  })
})

describe('an address at which another peer answered', () => {
  it('is no longer the address of the one before, who is asked at once', async () => {
    const net = network()
    net.answers.set(HOME, 'before')
    const before = net.add('before', HOME)
    await net.advance(HOUR)
    const dials = net.dials(HOME).length
    net.answers.set(HOME, 'after')
    const registering = net.register('after', HOME)
    await net.advance(0)
    assert.equal((await registering).status, 'listed')
    assert.deepEqual([net.isHandedOut('before'), net.isHandedOut('after')], [false, true])
    await net.advance(SECOND)
    assert.equal(net.dials(HOME).length, dials + 2, 'one for each')
    assert.equal(before.misses, 1)
    net.answers.set(HOME, 'before')
    await net.until(() => net.isHandedOut('before'))
    assert.ok(!net.isHandedOut('after'))
  })

  it('has one peer again after a restart, the one proved last', async () => {
    const net = network()
    net.answers.set(HOME, 'second')
    const records = ['first', 'second', 'third'].map((peerId, n): RegistrationRecord => {
      const [registeredAt, expiresAt] = [NOW - HOUR, NOW + HOUR]
      return { network: '', peerId, address: HOME, registeredAt, expiresAt, provedAt: NOW - [3, 1, 2][n]! * MINUTE }
    })
    net.point.operatorList.restore({ records, statics: [], trusted: true, warnings: [] })
    assert.deepEqual(
      ['first', 'second', 'third'].map((id) => net.isHandedOut(id)),
      [false, true, false],
    )
  })

  it('is dialed within a budget of its own, however it changes its mind', async () => {
    const net = network()
    const peers = ['one', 'two']
    let asked = 0
    // The other one at each dial, at an address of which no other budget knows.
    const home = '/ip4/10.0.0.7/tcp/4001'
    net.answers.set(home, 'one')
    net.delay = 80
    const all = peers.map((each) => net.add(each, home))
    net.onDial = () => void net.answers.set(home, peers[asked++ % peers.length]!)
    for (let minute = 0; minute < 10; minute++) {
      await net.advance(MINUTE)
      assert.ok(all.filter((each) => net.point.listing.holds(each)).length <= 1)
    }
    assert.ok(asked > 10 && asked <= 100, `${asked} dials in 10 min`)
  })
})

describe('a proof ahead of its time', () => {
  it('counts once, however many want it, and takes the place of the one that was due', async () => {
    const net = network()
    net.answers.set(HOME, 'peer')
    const registration = net.add('peer', HOME)
    await net.advance(SECOND)
    const before = net.dials(HOME).length
    net.answers.delete(HOME)
    net.silence = SECOND
    const prove = async (times: number) => {
      const proofs = Array.from({ length: times }, () => net.schedule.proveNow(registration))
      await net.advance(2 * SECOND)
      await Promise.all(proofs)
    }
    await prove(2)
    assert.equal(net.dials(HOME).length, before + 1)
    assert.equal(registration.misses, 1)
    net.answers.set(HOME, 'peer')
    await prove(1)
    assert.equal(registration.misses, 0)
    await net.advance(4 * MINUTE - 2 * SECOND)
    assert.equal(net.dials(HOME).length, before + 2, 'not the retry of the miss')
  })
})

describe('what has not answered yet', () => {
  it("is proved by the newcomers' prober, and what has answered by the other", async () => {
    const net = network()
    net.add('silent', HOME)
    net.next.prove = () => assert.fail('the newcomer waits for the sweep')
    await net.advance(SECOND)
    assert.equal(net.dials(HOME).length, 1)
    const swept = network()
    swept.answers.set(HOME, 'peer')
    swept.add('peer', HOME)
    await swept.advance(SECOND)
    swept.first.prove = () => assert.fail('the sweep takes the place of a newcomer')
    await swept.advance(HOUR)
    assert.ok(swept.isHandedOut('peer'))
  })

  it('is given up after three misses', async () => {
    const net = network()
    net.add('silent', HOME)
    await net.until(() => net.registry.size === 0)
    assert.equal(net.dials(HOME).length, 3)
    assert.ok(net.time.now() - NOW < 3 * MINUTE)
  })

  it('shares the proof that its registration began', async () => {
    const net = network()
    net.delay = 8 * SECOND
    net.answers.set(HOME, 'peer')
    const cut = new AbortController()
    const outcome = net.point.register(
      callerFrom('peer', HOME),
      { network: '', addresses: [HOME], ttlMs: 7_200_000 },
      cut.signal,
    )
    await net.advance(5 * SECOND)
    cut.abort()
    await net.advance(SECOND)
    assert.equal((await outcome)[0]!.status, 'pending')
    await net.advance(5 * SECOND)
    assert.equal(net.dials(HOME).length, 1)
    assert.ok(net.isHandedOut('peer'))
  })
})

describe("the operator's entries", () => {
  it('are proved before they are handed out, and never given up', async () => {
    const net = network()
    net.point.operatorList.restore({ records: [], statics: [staticOf('peer', HOME)], trusted: true, warnings: [] })
    await net.advance(6 * HOUR)
    assert.ok(!net.isHandedOut('peer'))
    assert.equal(net.registry.size, 1)
    net.answers.set(HOME, 'peer')
    await net.advance(20 * MINUTE)
    assert.ok(net.isHandedOut('peer'))
  })

  it('without a PeerId take that of the node that answers there, whenever it does', async () => {
    const net = network()
    net.point.operatorList.restore({ records: [], statics: [staticOf(undefined, HOME)], trusted: true, warnings: [] })
    await net.advance(HOUR)
    assert.equal(net.registry.size, 0)
    net.answers.set(HOME, 'somebody')
    await net.advance(20 * MINUTE)
    assert.ok(net.isHandedOut('somebody'))
    assert.deepEqual([...net.registry.all()].map(isStatic), [true])
    net.answers.delete(HOME)
    await net.advance(20 * MINUTE)
    assert.ok(!net.isHandedOut('somebody'))
  })

  it('that are edited in and out are watched and forgotten', async () => {
    const net = network()
    net.answers.set(HOME, 'somebody')
    net.point.operatorList.merge({ records: [], statics: [staticOf(undefined, HOME)] }, 0)
    await net.advance(SECOND)
    assert.ok(net.isHandedOut('somebody'))
    net.point.operatorList.merge({ records: [], statics: [] }, 0)
    assert.ok(!net.isHandedOut('somebody'))
    const dials = net.dials(HOME).length
    await net.advance(2 * HOUR)
    assert.ok(net.dials(HOME).length <= dials + 1)
    assert.equal(net.registry.size, 0)
  })
})

describe('a restart', () => {
  it('serves at once what was proved within the interval, and the rest after a new proof, oldest first', async () => {
    const net = network()
    const ages = [MINUTE, 10 * MINUTE, 19 * MINUTE, 21 * MINUTE, 40 * MINUTE, 30 * MINUTE]
    const records = ages.map((age, n): RegistrationRecord => {
      const address = `/ip4/8.${n}.8.8/tcp/4001`
      net.answers.set(address, `peer ${n}`)
      return {
        network: '',
        peerId: `peer ${n}`,
        address,
        registeredAt: NOW - HOUR,
        expiresAt: NOW + HOUR,
        provedAt: NOW - age,
      }
    })
    net.point.operatorList.restore({ records, statics: [], trusted: true, warnings: [] })
    const served = () => ages.map((_, n) => net.isHandedOut(`peer ${n}`))
    assert.deepEqual(served(), [true, true, true, false, false, false])
    await net.advance(2 * SECOND)
    assert.deepEqual(served(), [true, true, true, true, true, true])
    assert.deepEqual(
      net.order.slice(0, 3),
      [4, 5, 3].map((n) => `/ip4/8.${n}.8.8/tcp/4001`),
    )
  })
})

describe('more entries than the proofs can keep up with', () => {
  it('take turns: each is handed out for the same share of the time, renewing or not, and a newcomer at once', async () => {
    // 0.4 a second: 480 in 20 min.
    const net = network({ cpuShare: 0.0006 })
    const all = Array.from({ length: 600 }, (_, n) => {
      const address = `/ip4/${20 + (n % 200)}.${n >> 8}.${n & 255}.1/tcp/4001`
      net.answers.set(address, `peer ${n}`)
      const times = { registeredAt: NOW - HOUR, expiresAt: NOW + 24 * HOUR, provedAt: NOW - HOUR }
      return { network: '', peerId: `peer ${n}`, address, ...times } satisfies RegistrationRecord
    })
    net.point.operatorList.restore({ records: all, statics: [], trusted: true, warnings: [] })
    await net.advance(HOUR)
    const registrations = [...net.registry.all()]
    assert.ok(registrations.every(({ provedAt }) => provedAt > NOW))
    const share = new Map(registrations.map((each) => [each, 0]))
    let worst = 1
    const minutes = 125
    for (let minute = 0; minute < minutes; minute++) {
      await net.advance(MINUTE)
      for (const each of registrations) {
        share.set(each, share.get(each)! + (net.point.listing.holds(each) ? 1 : 0))
      }
      // The first twenty ask every minute.
      const asking = all.slice(0, 20).map(({ peerId, address }) => net.register(peerId, address))
      await net.advance(0)
      const statuses = (await Promise.all(asking)).map(({ status }) => status)
      assert.ok(statuses.every((status) => status === 'listed' || status === 'pending'))
      const { livingCount, listedCount } = net.registry
      assert.equal(livingCount, 600)
      worst = Math.min(worst, listedCount / livingCount)
    }
    const shares = [...share.values()].map((held) => held / minutes)
    assert.ok(Math.min(...shares) > 0.9 * Math.max(...shares), `${Math.min(...shares)} to ${Math.max(...shares)}`)
    // Listed is what was proved in the last 20 min, 480, and what lapsed since the last sweep.
    assert.ok(Math.abs(shares.reduce((sum, each) => sum + each, 0) / 600 - 0.8) < 0.02 && Math.abs(worst - 0.8) < 0.03)
    net.answers.set(HOME, 'newcomer')
    const newcomer = net.register('newcomer', HOME)
    await net.advance(0)
    assert.equal((await newcomer).status, 'listed')
  })
})

describe('a crowd that falls silent at once', () => {
  it('takes no turn of the living, however long it is waited for', async () => {
    const net = network()
    const [silent, living] = [1500, 100]
    for (let n = 0; n < silent + living; n++) {
      net.answers.set(`/ip4/${20 + (n % 200)}.${n >> 8}.${n & 255}.1/tcp/4001`, `peer ${n}`)
    }
    const all = [...net.answers].map(([address, peerId]) => net.add(peerId, address))
    await net.advance(MINUTE)
    for (const { address } of all.slice(0, silent)) {
      net.answers.delete(address)
    }
    await net.advance(10 * MINUTE)
    // So long that a few have every place for dials.
    net.silence = 5 * MINUTE
    for (let minute = 0; minute < 30; minute++) {
      await net.advance(MINUTE)
      const lost = all.slice(silent).filter((each) => !isCurrent(each, net.time.now()))
      assert.equal(lost.length, 0, `minute ${minute}`)
    }
  })
})

describe('10,000 entries, a third of them silent', () => {
  it('are swept within 15 min, nobody old is handed out, none of the living is lost, and newcomers never wait', {
    timeout: 120_000,
  }, async () => {
    const net = network()
    const random = seededRandom(9)
    net.delay = 50
    net.silence = 4000
    const alive = (n: number) => n % 3 > 0
    const records = Array.from({ length: 10_000 }, (_, n): RegistrationRecord => {
      const address = `/ip4/${20 + (n % 200)}.${(n >> 6) & 255}.${n & 255}.1/tcp/${4001 + (n % 7)}`
      if (alive(n)) {
        net.answers.set(address, `peer ${n}`)
      }
      const provedAt = NOW - Math.floor(random() * INTERVAL)
      return {
        network: '',
        peerId: `peer ${n}`,
        address,
        registeredAt: NOW - HOUR,
        expiresAt: NOW + 4 * HOUR,
        provedAt,
      }
    })
    net.point.operatorList.restore({ records, statics: [], trusted: true, warnings: [] })
    await net.advance(15 * MINUTE)
    const all = [...net.registry.all()]
    const silent = all.filter(({ peer }) => !alive(Number(peer.id.slice(5))))
    // Those proved just before the start are not due yet after 15 min: the interval has jitter.
    const due = silent.filter(({ provedAt }) => provedAt < NOW - 3 * MINUTE)
    assert.ok(due.length > 2000 && due.every(({ health }) => health === 'failing'))
    for (let minute = 15; minute < 40; minute++) {
      const address = `/ip4/7.7.${minute}.1/tcp/4001`
      net.answers.set(address, `newcomer ${minute}`)
      const began = net.time.now()
      const outcome = net.register(`newcomer ${minute}`, address)
      await net.advance(MINUTE)
      assert.equal((await outcome).status, 'listed')
      assert.ok(net.dials(address)[0]! - began < 100)
      const lost = all.filter((each) => alive(Number(each.peer.id.slice(5))) && !isCurrent(each, net.time.now()))
      assert.equal(lost.length, 0, `minute ${minute}`)
      const old = net.handedOut().filter(({ provedAt }) => provedAt < net.time.now() - MAX_AGE)
      assert.equal(old.length, 0)
    }
  })
})

interface Network extends TestPoint {
  readonly time: VirtualTime
  /** Who answers where. */
  readonly answers: Map<string, string>
  /** What went to the store. */
  readonly stored: unknown[]
  /** The addresses dialled, in order. */
  readonly order: string[]
  /** How long an answer takes, and silence, ms. */
  delay: number
  silence: number
  /** Is called before each dial. */
  onDial: () => void
  /** All dials are refused for our own lack. */
  busy: boolean
  /** When an address was dialled. */
  dials(address: string): readonly number[]
  gaps(address: string): number[]
  /** Puts in a registration that nobody has proved yet. */
  add(peerId: string, address: string): Registration
  register(peerId: string, address: string): Promise<{ status: string }>
  advance(ms: number): Promise<void>
  until(condition: () => boolean): Promise<void>
  isHandedOut(peerId: string): boolean
  addressesOf(peerId: string): string[]
  handedOut(): Registration[]
}

function network(over: Pick<TestPointInit, 'cpuShare'> = {}): Network {
  const time = virtualTime(NOW)
  const answers = new Map<string, string>()
  const dials = new Map<string, number[]>()
  const order: string[] = []
  const stored: unknown[] = []
  const asker = callerFrom('asker', '/ip4/1.1.1.1/tcp/50000')
  const parts = testPoint({
    ...over,
    clock: time.now,
    store: { append: async (changes) => void stored.push(...changes) },
    async dial(address) {
      dials.set(address, [...(dials.get(address) ?? []), time.now()])
      order.push(address)
      net.onDial()
      if (net.busy) {
        return { fault: 'dial_busy' }
      }
      await time.wait(answers.has(address) ? net.delay : net.silence)
      const peerId = answers.get(address)
      return peerId === undefined ? { fault: 'dial_timeout' } : { peerId }
    },
  })
  const net: Network = {
    ...parts,
    time,
    answers,
    stored,
    order,
    delay: 0,
    silence: 0,
    onDial() {},
    busy: false,
    dials: (address) => dials.get(address) ?? [],
    gaps: (address) =>
      net
        .dials(address)
        .slice(1)
        .map((at, n) => at - net.dials(address)[n]!),
    add(peerId, address) {
      const registration = parts.registry.put(
        { network: '', peerId, address },
        { now: time.now(), expiresAt: time.now() + 24 * HOUR },
      )
      parts.schedule.track(registration)
      return registration
    },
    async register(peerId, address) {
      const [outcome] = await parts.point.register(
        callerFrom(peerId, address),
        { network: '', addresses: [address], ttlMs: 7_200_000 },
        new AbortController().signal,
      )
      return outcome!
    },
    advance: time.advance,
    async until(condition) {
      for (let ticks = 0; !condition(); ticks++) {
        assert.ok(ticks < 4 * 3600 * 24, 'not in a day')
        await net.advance(TICK)
      }
    },
    isHandedOut: (peerId) =>
      parts.point.listing
        .for(asker)
        .peers({ network: '', limit: 1000 })
        .some(({ id }) => id === peerId),
    addressesOf: (peerId) =>
      parts.point.listing
        .for(asker)
        .peers({ network: '', limit: 1000 })
        .filter(({ id }) => id === peerId)
        .flatMap((peer) =>
          parts.point.listing
            .for(asker)
            .addressesOf(peer)
            .map(({ address }) => address),
        ),
    handedOut: () =>
      parts.point.listing
        .for(asker)
        .peers({ network: '', limit: 1000 })
        .flatMap((peer) => parts.point.listing.for(asker).addressesOf(peer)),
  }
  const tick = () => {
    parts.point.tick()
    parts.schedule.tick()
    time.at(time.now() + TICK, tick)
  }
  time.at(NOW, tick)
  return net
}

function isCurrent({ health, provedAt }: Registration, now: number): boolean {
  return health === 'reachable' && provedAt >= now - MAX_AGE
}

function staticOf(peerId: string | undefined, address: string): StaticEntry {
  return { json: { address }, registration: { network: '', peerId, address } }
}
