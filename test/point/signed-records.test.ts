import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import type { Caller } from '../../src/peer/caller.ts'
import { openRecord, type SignedRecord } from '../../src/peer/record.ts'
import { LocalPoint } from '../../src/point/local-point.ts'
import type { RecordOutcome } from '../../src/point/point-api.ts'
import type { RendezvousPointInit } from '../../src/point/rendezvous-point.ts'
import { SignedRecords } from '../../src/point/signed-records.ts'
import { PUBLIC_LIMITS_OF_ALL } from '../../src/policy/room.ts'
import type { Position } from '../../src/registry/listing-order.ts'
import { MAX_ENVELOPES_BYTES } from '../../src/registry/peer-records.ts'
import { StoreUnavailableError } from '../../src/store/store.ts'
import { callerFrom, MAX_AGE, testPoint } from '../support/points.ts'
import { seededRandom } from '../support/random.ts'
import { sealRecord } from '../support/records.ts'
import { RULES } from '../support/rules.ts'
import { list, NOW } from '../support/tables.ts'

interface Peer {
  readonly key: PrivateKey
  readonly id: string
  readonly address: string
  readonly caller: Caller
}

/** The n-th peer: of a public network group of its own, but for one in ten. */
async function peerAt(n: number): Promise<Peer> {
  const key = await generateKeyPairFromSeed('Ed25519', Buffer.alloc(32, `seed ${n}`))
  const id = peerIdFromPrivateKey(key).toString()
  const address = n % 10 === 0 ? `/ip4/8.8.${n}.1/tcp/4001` : `/ip4/11.${n}.1.1/tcp/4001`
  return { key, id, address, caller: callerFrom(id, address) }
}

class World {
  now = NOW
  seq = 1n
  readonly dead = new Set<string>()
  readonly records: SignedRecords
  readonly parts: ReturnType<typeof testPoint>
  readonly #peers: readonly Peer[]

  constructor(peers: readonly Peer[], over: Partial<RendezvousPointInit> = {}) {
    this.#peers = peers
    const clock = () => this.now
    const idAt = new Map(peers.map(({ address, id }) => [address, id]))
    const dial = async (address: string) => {
      const peerId = this.dead.has(address) ? undefined : idAt.get(address)
      return peerId === undefined ? { fault: 'dial_refused' as const } : { peerId }
    }
    this.parts = testPoint({ dial, clock, ...over })
    this.records = new SignedRecords({ point: this.parts.point, rules: RULES, random: seededRandom(3) })
  }

  async record(peer: Peer, addresses = [peer.address], seq = this.seq++): Promise<SignedRecord> {
    const record = await openRecord(await sealRecord(peer.key, addresses, { seq }))
    assert.ok(typeof record !== 'string', String(record))
    return record
  }

  async register(peer: Peer, addresses = [peer.address], network = ''): Promise<RecordOutcome> {
    const record = await this.record(peer, addresses)
    return await this.records.register(peer.caller, { network, record, ttlMs: 600_000 }, AbortSignal.timeout(5000))
  }

  /** A page as the frontend makes it. */
  page(caller: Caller, from: Position, limit: number): { readonly ids: string[]; readonly end: Position } {
    const reading = this.records.discover(caller, { network: '', form: 'standard' }, from)
    const ids: string[] = []
    let end = from
    while (ids.length < limit) {
      const next = reading.next()
      if (next.done) {
        return { ids, end: next.value }
      }
      ids.push(next.value.peerId)
      end = next.value.position
    }
    return { ids, end }
  }

  /** Of a new reader. */
  get start(): Position {
    return this.records.start({ network: '', form: 'standard' })
  }

  all(caller: Caller): string[] {
    return this.page(caller, this.start, Number.POSITIVE_INFINITY).ids
  }

  /** Proves everybody anew. */
  async proveAll(): Promise<void> {
    for (const registration of [...this.parts.registry.all()]) {
      const proof = await this.parts.next.prove(registration)
      assert.ok(proof)
      this.parts.point.recordProof(registration, proof)
    }
  }

  get peers(): readonly Peer[] {
    return this.#peers
  }
}

describe('the records of the rendezvous protocol', async () => {
  const peers = await Promise.all(Array.from({ length: 40 }, (_, n) => peerAt(n)))
  const asker = callerFrom(peers[39]!.id, '/ip4/9.9.9.9/tcp/50000')

  it('pages repeat and miss nobody while peers register, renew, leave, fail, recover and expire', async () => {
    const which = fc.nat(peers.length - 2)
    const event = fc.record({
      what: fc.constantFrom('register', 'register', 'unregister', 'fail', 'recover', 'time'),
      which,
    })
    const pages = fc.array(
      fc.record({ events: fc.array(event, { maxLength: 8 }), limit: fc.integer({ min: 1, max: 9 }) }),
      {
        maxLength: 12,
      },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(which, { maxLength: 38 }), pages, async (first, steps) => {
        const world = new World(peers)
        /** When somebody last came up, in events; and when the reader was last shown it. */
        const changed = new Map<string, number>()
        const seen = new Map<string, number>()
        let time = 0
        const happen = async ({ what, which: n }: { what: string; which: number }) => {
          const peer = peers[n]!
          const before = new Set(world.all(asker))
          if (what === 'register') {
            // A renewal that changes less is none.
            world.now += 61_000
            await world.register(peer)
          } else if (what === 'unregister') {
            await world.parts.point.unregister(peer.caller, { network: '', addresses: [] })
          } else if (what === 'time') {
            world.now += 90_000
            world.parts.point.tick()
          } else {
            world.dead[what === 'fail' ? 'add' : 'delete'](peer.address)
            await world.proveAll()
          }
          time++
          for (const id of world.all(asker)) {
            if (!before.has(id) || (what === 'register' && id === peer.id)) {
              changed.set(id, time)
            }
          }
        }
        for (const n of first) {
          await happen({ what: 'register', which: n })
        }
        let at = world.start
        const read = (limit: number) => {
          const { ids, end } = world.page(asker, at, limit)
          assert.ok(ids.length <= limit)
          for (const id of ids) {
            assert.ok((seen.get(id) ?? -1) < changed.get(id)!, 'it came twice, and nothing had happened to it')
            seen.set(id, time)
          }
          at = end
          return ids.length
        }
        for (const { events, limit } of steps) {
          for (const each of events) {
            await happen(each)
          }
          read(limit)
        }
        while (read(5) > 0);
        for (const id of world.all(asker)) {
          assert.ok(seen.get(id)! >= changed.get(id)!, 'it was missed')
        }
      }),
      { numRuns: 60 },
    )
  })

  it('lets a peer that has all it may have renew each of them', async () => {
    const world = new World(peers)
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < PUBLIC_LIMITS_OF_ALL.ip; n++) {
        const outcome = await world.register(peers[1]!, [peers[1]!.address], `network ${n}`)
        assert.deepEqual(outcome, { status: 'listed', renewed: round === 1, ttlMs: 600_000, withheld: false })
      }
      const another = await world.register(peers[1]!, [peers[1]!.address], 'one too many')
      assert.deepEqual(another, { status: 'refused', code: 'limit_ip' })
    }
  })

  it('hands private addresses to nobody but those of their range', async () => {
    const inside: Peer = {
      ...peers[2]!,
      address: '/ip4/10.1.2.3/tcp/4001',
      caller: callerFrom(peers[2]!.id, '/ip4/10.1.2.3/tcp/9'),
    }
    const world = new World([inside, peers[1]!])
    assert.deepEqual(await world.register(inside), {
      status: 'listed',
      renewed: false,
      ttlMs: 600_000,
      withheld: false,
    })
    const neighbour = callerFrom(asker.peerId, '/ip4/10.9.9.9/tcp/9')
    assert.deepEqual(world.all(neighbour), [inside.id])
    assert.deepEqual(world.all(asker), [])
    assert.deepEqual(world.all(callerFrom(asker.peerId, '/ip4/192.168.1.1/tcp/9')), [])

    // A public caller with a private address: kept, proved, and handed to nobody, not even in that range.
    const outcome = await world.register(peers[1]!, [peers[1]!.address, '/ip4/10.0.0.1/tcp/4001'])
    assert.deepEqual(outcome, { status: 'listed', renewed: false, ttlMs: 600_000, withheld: true })
    assert.deepEqual(world.all(asker), [])
    assert.deepEqual(world.all(neighbour), [inside.id])
    await world.register(peers[1]!)
    assert.deepEqual(world.all(asker), [peers[1]!.id])
  })

  it('hands out nobody whose proof is too old', async () => {
    const world = new World(peers)
    await world.register(peers[1]!)
    world.now += MAX_AGE + 1
    assert.deepEqual(world.all(asker), [])
  })

  it('takes nothing that the store does not take, and lets it be sent again', async () => {
    let full = true
    const append = async () => {
      if (full) {
        throw new StoreUnavailableError('ENOSPC', undefined)
      }
    }
    const world = new World(peers, { store: { append } })
    const [, peer] = peers as [Peer, Peer]
    const register = async (record: SignedRecord) =>
      await world.records.register(peer.caller, { network: '', record, ttlMs: 600_000 }, AbortSignal.timeout(5000))
    const UNAVAILABLE = { status: 'refused', code: 'unavailable' }
    const first = await world.record(peer, [peer.address], 5n)
    assert.deepEqual(await register(first), UNAVAILABLE)
    assert.equal(world.parts.registry.peerRecords.size, 0)
    full = false
    assert.equal((await register(first)).status, 'listed', 'the number has not been used up')
    full = true
    const both = [peer.address, peer.address.replace('4001', '4002')]
    assert.deepEqual(await register(await world.record(peer, both, 6n)), UNAVAILABLE)
    const newer = await world.record(peer, [peer.address], 6n)
    assert.equal(world.records.learn('', newer), 'learned', 'still the one before')
  })

  it('writes no record that says the same as before, and refuses changes that come too often', async () => {
    const [, peer] = peers as [Peer, Peer]
    let written = 0
    const append = async (changes: readonly unknown[]) => {
      written += changes.length
    }
    const world = new World([peer], { store: { append } })
    const both = [peer.address, `${peer.address}/ws`]
    // It answers there; the table has it as one more address of its own.
    assert.equal((await world.register(peer)).status, 'listed')
    for (let n = 0; n < 50; n++) {
      world.now += 50
      // With a newer number each time, as rust-libp2p does.
      const outcome = await world.register(peer)
      assert.deepEqual(outcome, {
        status: 'listed',
        renewed: true,
        ttlMs: 600_000 - Math.ceil((n + 1) / 20) * 1000,
        withheld: false,
      })
    }
    assert.equal(written, 1)
    const outcomes: string[] = []
    for (let n = 0; n < 60; n++) {
      world.now += 1000
      const outcome = await world.register(peer, n % 2 === 0 ? both : [peer.address])
      outcomes.push(outcome.status === 'refused' ? outcome.code : outcome.status)
    }
    const taken = outcomes.filter((each) => each === 'listed').length
    assert.deepEqual(new Set(outcomes), new Set(['listed', 'unavailable']))
    assert.ok(taken >= 6 && written <= 1 + 4 + 6, `${taken} taken, ${written} written`)
    world.now += 60_000
    assert.equal((await world.register(peer, both)).status, 'listed')
    assert.equal((await world.register(peer)).status, 'listed')
  })

  it('counts what a larger record takes more than the one before it', async () => {
    const world = new World(peers)
    const [, peer, other] = peers as [Peer, Peer, Peer]
    const [small, large] = [await world.record(peer), await world.record(peer, [peer.address, `${peer.address}/ws`])]
    assert.equal((await world.register(other)).status, 'listed')
    const { peerRecords } = world.parts.registry
    const of = world.parts.registry.peer('', other.id)!
    const filling = {
      ...(await world.record(other)),
      envelope: new Uint8Array(MAX_ENVELOPES_BYTES - small.envelope.length),
    }
    peerRecords.put(of, filling)
    const register = (record: SignedRecord) =>
      world.records.register(peer.caller, { network: '', record, ttlMs: 600_000 }, AbortSignal.timeout(5000))
    assert.equal((await register(small)).status, 'listed')
    assert.deepEqual(await register(large), { status: 'refused', code: 'limit_total' })
    assert.equal((await register(small)).status, 'listed')
  })

  it('learns what a peer shows elsewhere only if it may be handed out, names where it is, and is newer', async () => {
    const world = new World(peers)
    const [, peer, other] = peers as [Peer, Peer, Peer]
    const learn = async (addresses: readonly string[], seq?: bigint) =>
      world.records.learn('', await world.record(peer, [...addresses], seq))
    assert.equal(await learn([peer.address]), 'refused', 'it is not registered')
    await world.parts.point.register(
      peer.caller,
      { network: '', addresses: [peer.address], ttlMs: 600_000 },
      AbortSignal.timeout(5000),
    )
    assert.deepEqual(world.all(asker), [])
    const elsewhere = peer.address.replace('4001', '4002')
    for (const addresses of [
      [peer.address, '/ip4/8.8.4.4/tcp/4001'],
      [peer.address, other.address],
      [peer.address, '/dns4/example.com/tcp/4001'],
      // At the same IP, but nothing shows that it is there.
      [elsewhere],
      // The proved address is only the beginning of it.
      [`${peer.address}1`],
    ]) {
      assert.equal(await learn(addresses), 'refused', String(addresses))
      assert.equal(world.parts.registry.peerRecords.size, 0)
    }
    assert.equal(await learn([elsewhere, peer.address], 100n), 'learned')
    assert.deepEqual(world.all(asker), [peer.id])
    assert.equal(await learn([peer.address], 99n), 'refused')
    assert.equal(await learn([peer.address, '/ip4/127.0.0.1/tcp/4001'], 101n), 'learned')
    assert.deepEqual(world.all(asker), [], 'as of any record that names a private address')
  })

  it('judges a record again when an address that it was judged by goes, or comes back', async () => {
    const [, peer] = peers as [Peer, Peer]
    const past = { ...peer, address: '/ip4/11.99.1.1/tcp/4001', caller: callerFrom(peer.id, '/ip4/11.99.1.1/tcp/4001') }
    const world = new World([peer, past])
    const { point, registry } = world.parts
    const register = ({ caller, address }: Peer) =>
      point.register(caller, { network: '', addresses: [address], ttlMs: 600_000 }, AbortSignal.timeout(5000))
    await register(past)
    await register(peer)
    const both = await world.record(peer, [peer.address, '/ip4/11.99.1.1/udp/4001/quic-v1'])
    assert.equal(world.records.learn('', both), 'learned')
    const state = () => world.records.stateOf(registry.peer('', peer.id)!)
    assert.deepEqual([world.all(asker), state()], [[peer.id], 'recorded'])
    const { end } = world.page(asker, world.start, 10)

    // It gave the other IP back: a stranger may have it.
    world.dead.add(past.address)
    await world.proveAll()
    assert.deepEqual([world.all(asker), state()], [[], 'lacking'])
    assert.deepEqual(world.page(asker, end, 10).ids, [])
    world.dead.delete(past.address)
    await world.proveAll()
    assert.deepEqual([world.all(asker), state()], [[peer.id], 'recorded'])
    assert.deepEqual(world.page(asker, end, 10).ids, [peer.id], 'also for a reader who is past it')

    await point.unregister(past.caller, { network: '', addresses: [past.address] })
    assert.deepEqual(world.all(asker), [])
    assert.equal(world.records.learn('', await world.record(peer)), 'learned')
    assert.deepEqual(world.all(asker), [peer.id])
  })

  it('learns nothing with a port of another service, or with an address behind its own', async () => {
    const world = new World(peers)
    const [, peer] = peers as [Peer, Peer]
    await world.parts.point.register(
      peer.caller,
      { network: '', addresses: [peer.address], ttlMs: 600_000 },
      AbortSignal.timeout(5000),
    )
    for (const address of [peer.address.replace('4001', '22'), `${peer.address}/ip4/8.8.8.8/tcp/22`]) {
      const record = await world.record(peer, [peer.address, address])
      assert.equal(world.records.learn('', record), 'refused', address)
    }
  })

  it('hands no private address to others of its range at which its peer was not seen', async () => {
    const inside = (n: number): Peer => {
      const address = `/ip4/10.1.2.${n}/tcp/4001`
      return { ...peers[n]!, address, caller: callerFrom(peers[n]!.id, address) }
    }
    const world = new World([inside(1), inside(2)])
    const neighbour = callerFrom(asker.peerId, '/ip4/10.9.9.9/tcp/9')
    const outcome = await world.register(inside(1), [inside(1).address, '/ip4/10.0.0.1/tcp/8545'])
    assert.deepEqual(outcome, { status: 'listed', renewed: false, ttlMs: 600_000, withheld: true })
    assert.deepEqual(world.all(neighbour), [])
    await world.register(inside(2))
    assert.deepEqual(world.all(neighbour), [inside(2).id])
  })

  it('tells whether a record of a peer says where it is', async () => {
    const world = new World(peers)
    const [, peer] = peers as [Peer, Peer]
    const { point, registry } = world.parts
    const register = (addresses: readonly string[]) =>
      point.register(peer.caller, { network: '', addresses, ttlMs: 600_000 }, AbortSignal.timeout(5000))
    await register([peer.address])
    const state = () => world.records.stateOf(registry.peer('', peer.id)!)
    assert.equal(state(), 'lacking')
    assert.equal(world.records.learn('', await world.record(peer)), 'learned')
    assert.equal(state(), 'recorded')
    world.dead.add(peer.address)
    await world.proveAll()
    assert.equal(state(), 'unlisted')
  })

  it('begins with one peer of each network group', async () => {
    const world = new World(peers)
    for (const peer of peers) {
      await world.register(peer)
    }
    const groups = new Set(peers.map(({ address }) => address.split('.').slice(0, 2).join('.')))
    const first = world.page(asker, world.start, groups.size).ids
    const seen = new Set(
      first.map((id) =>
        peers
          .find((peer) => peer.id === id)!
          .address.split('.')
          .slice(0, 2)
          .join('.'),
      ),
    )
    assert.equal(seen.size, groups.size)
    assert.equal(world.all(asker).length, peers.length)
  })
})

it('a page is of one moment: the clock is read once, however many peers are on it', async () => {
  let readings = 0
  const clock = () => {
    readings++
    return NOW
  }
  const { point, registry } = testPoint({ clock, dial: async () => ({ fault: 'dial_refused' }) })
  for (let n = 0; n < 1000; n++) {
    const address = `/ip4/11.${n >> 8}.${n & 255}.1/tcp/4001`
    const { peer } = list(registry, { peerId: `peer ${n}`, address })
    registry.peerRecords.put(peer, 'unsigned')
  }
  const api = new LocalPoint({
    point,
    records: new SignedRecords({ point, rules: RULES, random: Math.random }),
    learner: undefined,
    prover: { identify: async () => ({ fault: 'dial_refused' }) },
  })
  readings = 0
  const query = { network: '', form: 'unsigned', from: undefined, limit: 1000, maxBytes: Infinity } as const
  const page = await api.discoverRecords(callerFrom('reader', '/ip4/9.9.9.9/tcp/50000'), query)
  assert.ok('entries' in page)
  assert.equal(page.entries.length, 1000)
  assert.equal(readings, 1)
})
