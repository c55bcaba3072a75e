import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { DialledPeer, Visit } from '../../src/point/prover.ts'
import { type RecordAnswer, RecordLearner } from '../../src/point/record-learner.ts'
import { SignedRecords } from '../../src/point/signed-records.ts'
import type { Registration } from '../../src/registry/registration.ts'
import { callerFrom, testPoint } from '../support/points.ts'
import { sealRecord } from '../support/records.ts'
import { RULES } from '../support/rules.ts'
import { NOW } from '../support/tables.ts'
import { until } from '../support/wait.ts'

const HOUR = 3_600_000

interface Peer {
  readonly key: PrivateKey
  readonly id: string
  /** Where it is, of as many as it may register. */
  readonly addresses: readonly string[]
}

async function peerAt(n: number): Promise<Peer> {
  const key = await generateKeyPairFromSeed('Ed25519', Buffer.alloc(32, `learner ${n}`))
  const host = `11.${n & 255}.${n >> 8}.1`
  return { key, id: peerIdFromPrivateKey(key).toString(), addresses: [4001, 4002].map((p) => `/ip4/${host}/tcp/${p}`) }
}

/** A learner on a real point. What peers answer is made up, and so is who is connected. */
class World {
  now = NOW
  seq = 1n
  readonly connected = new Set<string>()
  /** Where nobody answers. */
  readonly dead = new Set<string>()
  /** What a peer answers; default: a good record of its addresses. */
  readonly answers = new Map<string, RecordAnswer>()
  /** The peers that were asked, over whichever connection. */
  readonly asked: string[] = []
  /** The addresses that were dialled. */
  readonly dialled: string[] = []
  readonly learner: RecordLearner
  readonly records: SignedRecords
  readonly parts: ReturnType<typeof testPoint>
  readonly #peers: readonly Peer[]

  constructor(peers: readonly Peer[]) {
    this.#peers = peers
    const clock = () => this.now
    const visitOf = (registration: Registration) => this.learner.visitOf(registration)
    this.parts = testPoint({
      dial: (address, visit) => this.#dial(address, visit),
      clock,
      visitOf,
      watcher: { registered: (peer) => this.learner.onRegistered(peer) },
    })
    this.records = new SignedRecords({ point: this.parts.point, rules: RULES, random: Math.random })
    this.learner = new RecordLearner({
      view: this.parts.registry,
      records: this.records,
      clock,
      ask: async (id) => (this.connected.has(id) ? await this.#answer(id) : 'not_connected'),
      askDialled: ({ peerId }) => this.#answer(peerId),
      prove: (registration) => this.parts.schedule.proveNow(registration),
    })
  }

  async register(peer: Peer, addresses = peer.addresses.slice(0, 1), network = ''): Promise<void> {
    const caller = callerFrom(peer.id, peer.addresses[0]!)
    await this.parts.point.register(caller, { network, addresses, ttlMs: 20 * 3_600_000 }, AbortSignal.timeout(5000))
    await settled()
  }

  /** Whoever has a record, in a network. */
  recorded(network = ''): string[] {
    const { registry } = this.parts
    return [...registry.peers(network)].filter((each) => registry.peerRecords.find(each)).map(({ id }) => id)
  }

  /** Proves all that is registered, as the schedule would. */
  async proveAll(): Promise<void> {
    for (const registration of this.parts.registry.all()) {
      await this.parts.schedule.proveNow(registration)
    }
    await settled()
  }

  async #dial(address: string, visit: Visit | undefined) {
    this.dialled.push(address)
    if (this.dead.has(address)) {
      return { fault: 'dial_refused' as const }
    }
    const peer = this.#peers.find(({ addresses }) => addresses.includes(address))!
    void visit?.({ peerId: peer.id } as DialledPeer)
    return { peerId: peer.id }
  }

  async #answer(id: string): Promise<RecordAnswer> {
    const peer = this.#peers.find((each) => each.id === id)!
    const answer = this.answers.get(id) ?? (await sealRecord(peer.key, peer.addresses, { seq: this.seq++ }))
    if (answer !== 'busy') {
      this.asked.push(id)
    }
    return answer
  }
}

/** Until all that was asked for has come to something: signatures are verified elsewhere than in this turn. */
async function settled(): Promise<void> {
  for (let n = 0; n < 20; n++) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('the records of those who registered without one', async () => {
  const peers = await Promise.all(Array.from({ length: 300 }, (_, n) => peerAt(n)))
  const [alice, bob] = peers as [Peer, Peer]
  let world: World

  beforeEach(() => {
    world = new World(peers)
    world.connected.add(alice.id)
  })

  it('are not asked for before their network is asked for through the rendezvous protocol', async () => {
    await world.learner.onDiscover('another')
    await world.register(alice)
    await world.proveAll()
    assert.deepEqual(world.asked, [])
    assert.equal(world.dialled.length, 2, 'its registration, and a proof')
  })

  it('are learned over the connection that is there when the network is asked for', async () => {
    await world.register(alice)
    await world.learner.onDiscover('')
    assert.deepEqual(world.recorded(), [alice.id])
    assert.equal(world.dialled.length, 1, 'its registration')
  })

  it('are asked for in all networks when all are asked for', async () => {
    await world.learner.onDiscover('')
    await world.register(alice, [alice.addresses[0]!], 'x')
    assert.deepEqual(world.asked, [])
    await world.learner.onDiscover(undefined)
    assert.deepEqual(world.recorded('x'), [alice.id])
    await world.register(bob, [bob.addresses[0]!], 'y')
    await world.proveAll()
    assert.deepEqual(world.recorded('y'), [bob.id])
  })

  it('are learned by a dial-back ahead of its time from those who have left', async () => {
    await world.register(bob)
    await world.learner.onDiscover('')
    assert.deepEqual(world.recorded(), [bob.id])
    assert.equal(world.dialled.length, 2)
    await world.learner.onDiscover('')
    assert.equal(world.dialled.length, 2)
  })

  it('are asked for once: not by renewals, not by proofs, not by whoever asks', async () => {
    await world.learner.onDiscover('')
    for (let n = 0; n < 5; n++) {
      await world.register(alice)
      await world.proveAll()
      await world.learner.onDiscover(undefined)
      world.now += HOUR
    }
    assert.deepEqual(world.asked, [alice.id])
  })

  it('are asked for again when the peer is somewhere else, and not when it is somewhere else as well', async () => {
    const [old, fresh] = alice.addresses as [string, string]
    await world.learner.onDiscover('')
    world.answers.set(alice.id, await sealRecord(alice.key, [old], { seq: 1n }))
    await world.register(alice, [old])
    await world.register(alice, [fresh])
    assert.deepEqual(world.asked, [alice.id])
    world.dead.add(old)
    world.answers.set(alice.id, await sealRecord(alice.key, [fresh], { seq: 2n }))
    await world.proveAll()
    await world.register(alice, [fresh])
    assert.deepEqual(world.asked, [alice.id, alice.id])
    const { record } = world.parts.registry.peerRecords.find(world.parts.registry.peer('', alice.id)!)!
    assert.deepEqual(record !== 'unsigned' && record.addresses, [fresh])
  })

  for (const [what, answer] of [
    ['has none', async () => 'none' as const],
    ['shows another peer’s', () => sealRecord(bob.key, alice.addresses)],
    ['shows one that another signed', () => sealRecord(bob.key, alice.addresses, { subject: alice.key })],
    ['shows one of places where it was not seen', () => sealRecord(alice.key, ['/ip4/8.8.8.8/tcp/4001'])],
    ['shows one with such a place in it', () => sealRecord(alice.key, [...alice.addresses, '/ip4/8.8.8.8/tcp/1'])],
    ['shows one that leaves out where it answers', () => sealRecord(alice.key, alice.addresses.slice(1))],
    ['shows garbage', async () => Buffer.from('hello')],
  ] as const) {
    it(`are asked for again only after an hour from a peer that ${what}`, async () => {
      world.answers.set(alice.id, await answer())
      await world.learner.onDiscover('')
      for (let n = 0; n < 4; n++) {
        await world.register(alice)
        await world.proveAll()
        world.now += HOUR / 4 - 1
      }
      assert.deepEqual(world.asked, [alice.id])
      assert.deepEqual(world.recorded(), [])
      world.answers.delete(alice.id)
      world.now += 4
      await world.register(alice)
      assert.deepEqual(world.recorded(), [alice.id])
    })
  }

  it('are asked for at the next occasion when it was we who lacked capacity', async () => {
    world.answers.set(alice.id, 'busy')
    await world.learner.onDiscover('')
    await world.register(alice)
    assert.deepEqual(world.recorded(), [])
    world.answers.delete(alice.id)
    await world.proveAll()
    assert.deepEqual(world.recorded(), [alice.id])
  })

  it('are left out of the table when it is full, and asked for at the next occasion', async (t) => {
    const { peerRecords } = world.parts.registry
    const full = t.mock.method(peerRecords, 'hasRoomFor', () => false)
    await world.learner.onDiscover('')
    await world.register(alice)
    assert.deepEqual(world.recorded(), [])
    full.mock.restore()
    await world.register(alice)
    assert.deepEqual(world.recorded(), [alice.id])
  })

  it('are not asked for while a peer is not listed', async () => {
    await world.learner.onDiscover('')
    const registration = world.parts.registry.reserve(
      { network: '', peerId: alice.id, address: alice.addresses[0]! },
      { now: NOW, expiresAt: NOW + HOUR },
    )
    assert.equal(world.learner.visitOf(registration), undefined)
    assert.deepEqual(world.asked, [])
  })

  it('are not asked of another peer that answers at the address', async () => {
    await world.register(alice)
    world.connected.delete(alice.id)
    world.parts.registry.put(
      { network: 'x', peerId: bob.id, address: alice.addresses[0]! },
      { now: NOW, expiresAt: NOW + HOUR },
    )
    const registration = world.parts.registry.peer('x', bob.id)!.registrations[0]!
    world.parts.registry.recordProof(registration, 'answered', NOW)
    await world.learner.onDiscover('x')
    assert.deepEqual(world.asked, [])
  })

  it('of 256 peers are asked for at the first request, and of the others at their proofs', async () => {
    for (const peer of peers) {
      world.now += 100
      await world.register(peer)
    }
    await world.learner.onDiscover('')
    // 200 dial-backs at once, and 100 a second.
    await until(() => {
      world.now += 10
      world.parts.next.tick()
      return world.asked.length === 256
    }, 'as many are asked')
    await settled()
    assert.equal(world.asked.length, 256)
    for (const registration of world.parts.registry.all()) {
      world.now += 10
      await world.parts.schedule.proveNow(registration)
    }
    await settled()
    assert.deepEqual(new Set(world.recorded()), new Set(peers.map(({ id }) => id)))
  })

  it('never hold a request up for more than a second', async () => {
    await world.register(alice)
    world.connected.delete(alice.id)
    world.parts.schedule.proveNow = () => new Promise(() => {})
    const began = performance.now()
    await world.learner.onDiscover('')
    const took = performance.now() - began
    assert.ok(took > 900 && took < 3000, `${took} ms`)
  })
})
