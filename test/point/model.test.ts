import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { AddressOutcome } from '../../src/point/point-api.ts'
import { keyOf, type RegistrationKey } from '../../src/registry/registration.ts'
import { fileStore } from '../../src/store/file/file-store.ts'
import { memoryStore } from '../../src/store/memory-store.ts'
import { type Store, StoreUnavailableError } from '../../src/store/store.ts'
import { type FakeDisk, fakeDisk } from '../store/file/fake-disk.ts'
import { PEERS } from '../store/fixtures.ts'
import { cases } from '../support/cases.ts'
import { callerFrom, MAX_AGE, type TestPoint, testPoint } from '../support/points.ts'
import { NOW } from '../support/tables.ts'

const RUNS = cases(400, 2000)
const PATH = '/data/peers.json'
const NETWORKS = ['', 'chain'] as const
/** Two homes a peer; ten ports each, so that a ninth address has to make room. */
const address = fc.record({ home: fc.nat(1), port: fc.integer({ min: 4001, max: 4010 }) }, { noNullPrototype: true })

type Step =
  | {
      readonly do: 'register'
      readonly peer: number
      readonly network: number
      readonly at: { home: number; port: number }
      readonly ttl: number
    }
  | {
      readonly do: 'unregister'
      readonly peer: number
      readonly network: number
      readonly at: { home: number; port: number } | undefined
    }
  | { readonly do: 'die' | 'rise'; readonly peer: number; readonly at: { home: number; port: number } }
  | { readonly do: 'prove' | 'sweep' | 'compact' | 'restart' | 'crash' | 'full' | 'room' }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'together'; readonly steps: readonly Step[] }

const peer = fc.nat(PEERS.length - 1)
const network = fc.nat(1)
const request: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('register' as const),
      peer,
      network,
      at: address,
      ttl: fc.integer({ min: 60, max: 7200 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('unregister' as const),
      peer,
      network,
      at: fc.option(address, { nil: undefined }),
    }),
  },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: request },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('together' as const),
      steps: fc.array(request, { minLength: 2, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'rise' as const), peer, at: address }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'prove' as const,
        'sweep' as const,
        'compact' as const,
        'restart' as const,
        'crash' as const,
        'full' as const,
        'room' as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.nat(4000) }) },
)

/** Of the three removals the full disk took one, whole; then the process died. */
const homes = [
  { home: 0, port: 4001 },
  { home: 0, port: 4002 },
  { home: 1, port: 4001 },
]
const REFUSED_UNREGISTER: Step[] = [
  ...homes.map((at) => ({ do: 'register', peer: 2, network: 0, at, ttl: 3600 }) as const),
  { do: 'full' },
  { do: 'unregister', peer: 2, network: 0, at: undefined },
  { do: 'crash' },
]

describe('answered means kept', () => {
  for (const [name, place] of [
    ['the store in memory', memoryPlace],
    ['the store of files', filePlace],
  ] as const) {
    it(`with ${name}, whatever happens in between`, { timeout: 120_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const world = new World(place())
          await world.open()
          for (const each of steps) {
            await world.apply(each)
            world.check()
          }
          await world.apply({ do: 'crash' })
          world.check()
          await world.close()
        }),
        { numRuns: RUNS, examples: [[REFUSED_UNREGISTER]] },
      )
    })
  }
})

/** Where a store keeps things, and what can happen to it. */
interface Place {
  store(clock: () => number): Store
  /** The process ends without a word. */
  kill(): void
  /** Whether the disk takes what is written. */
  full(isFull: boolean): void
}

function memoryPlace(): Place {
  const store = memoryStore()
  let isFull = false
  const failing: Store = {
    ...store,
    append: (changes) =>
      isFull ? Promise.reject(new StoreUnavailableError('ENOSPC', undefined)) : store.append(changes),
  }
  return {
    store: () => failing,
    kill: () => void store.close(),
    full: (now) => {
      isFull = now
    },
  }
}

function filePlace(): Place {
  const disk: FakeDisk = fakeDisk()
  let process = disk.process()
  return {
    store(clock) {
      process = disk.process()
      return fileStore({ path: PATH, clock, ...process })
    },
    kill: () => process.kill(),
    full: (isFull) => {
      disk.fault = isFull
        ? ({ name }) => (name === 'write' || name === 'datasync' ? 'ENOSPC' : undefined)
        : () => undefined
    },
  }
}

/** What was answered for, in the simplest form there is. */
class World {
  readonly #place: Place
  /** Answered registrations by their text, with the end that was answered. */
  readonly #kept = new Map<string, { readonly key: RegistrationKey; readonly expiresAt: number }>()
  /** A request that was answered with an error may have happened or not. */
  readonly #open = new Set<string>()
  readonly #answering = new Map<string, string>()
  #now = NOW
  #isFull = false
  #store!: Store
  #parts!: TestPoint

  constructor(place: Place) {
    this.#place = place
  }

  async open(): Promise<void> {
    this.#store = this.#place.store(() => this.#now)
    this.#parts = testPoint({
      clock: () => this.#now,
      store: this.#store,
      dial: async (dialled) => {
        const peerId = this.#answering.get(dialled)
        return peerId === undefined ? { fault: 'dial_refused' } : { peerId }
      },
    })
    this.#parts.point.operatorList.restore(await this.#store.open())
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async apply(step: Step): Promise<void> {
    switch (step.do) {
      case 'register':
      case 'unregister':
        await this.#ask(step)
        return
      case 'together':
        await Promise.all(step.steps.map((each) => this.apply(each)))
        this.#forgetDisputed(step.steps)
        return
      case 'die':
        this.#answering.delete(textAt(step.peer, step.at))
        return
      case 'rise':
        this.#answering.set(textAt(step.peer, step.at), PEERS[step.peer]!)
        return
      case 'prove':
        for (const registration of [...this.#parts.registry.all()]) {
          const proof = await this.#parts.next.prove(registration)
          this.#parts.point.recordProof(registration, proof!)
        }
        return
      case 'sweep':
        for (let n = 0; n < 4; n++) {
          this.#parts.point.tick()
        }
        return
      case 'compact':
        await this.#store.compact(this.#parts.point.operatorList).catch(onlyUnavailable)
        return
      case 'wait':
        this.#now += step.seconds * 1000
        return
      case 'full':
      case 'room':
        this.#isFull = step.do === 'full'
        this.#place.full(this.#isFull)
        return
      case 'restart':
        await this.#reopen(() => this.#store.close())
        return
      case 'crash':
        await this.#reopen(async () => this.#place.kill())
    }
  }

  async #reopen(end: () => Promise<void>): Promise<void> {
    await end()
    this.#place.full(false)
    await this.open()
    this.#place.full(this.#isFull)
  }

  async #ask(step: Step & { do: 'register' | 'unregister' }): Promise<void> {
    const { point } = this.#parts
    const home = textAt(step.peer, step.at ?? { home: 0, port: 4001 })
    const caller = callerFrom(PEERS[step.peer]!, home)
    const query = { network: NETWORKS[step.network]!, addresses: step.at === undefined ? [] : [home] }
    const before = this.#textsOf(step.peer, query.network)
    let outcomes: readonly AddressOutcome[]
    if (step.do === 'register') {
      this.#answering.set(home, this.#answering.get(home) ?? PEERS[step.peer]!)
      outcomes = await point.register(caller, { ...query, ttlMs: step.ttl * 1000 }, new AbortController().signal)
    } else {
      outcomes = await point.unregister(caller, query)
    }
    for (const outcome of outcomes) {
      const key = { network: query.network, peerId: PEERS[step.peer]!, address: outcome.address! }
      if (outcome.status === 'listed' || outcome.status === 'pending') {
        this.#keep(key, outcome.expiresAt!)
      } else if (outcome.status === 'removed') {
        this.#kept.delete(textOf(key))
      }
    }
    if (outcomes.some((each) => each.status === 'refused' && each.refusal.code === 'unavailable')) {
      for (const text of [...before, textOf({ network: query.network, peerId: PEERS[step.peer]!, address: home })]) {
        this.#open.add(text)
      }
    }
  }

  /** Who has nine addresses in a network keeps eight: which one goes, is told by the table itself. */
  #keep(key: RegistrationKey, expiresAt: number): void {
    this.#kept.set(textOf(key), { key, expiresAt })
    this.#open.delete(textOf(key))
    const own = [...this.#kept.values()].filter(
      ({ key: { peerId, network } }) => peerId === key.peerId && network === key.network,
    )
    for (const each of own) {
      if (own.length > 8 && this.#parts.registry.find(each.key) === undefined) {
        this.#kept.delete(textOf(each.key))
      }
    }
  }

  #textsOf(peer: number, network: string): string[] {
    return this.#parts.registry
      .registrationsOf(network, PEERS[peer]!)
      .map((each) => textOf({ network, peerId: PEERS[peer]!, address: each.address }))
  }

  /** Who registers and takes back at the same time is content with either. */
  #forgetDisputed(steps: readonly Step[]): void {
    const taken = steps.filter((each) => each.do === 'unregister').map((each) => PEERS[each.peer])
    for (const [text, { key }] of this.#kept) {
      if (taken.includes(key.peerId as (typeof PEERS)[number])) {
        this.#kept.delete(text)
        this.#open.add(text)
      }
    }
    for (const { peer, address: at } of this.#parts.registry.all()) {
      if (taken.includes(peer.id as (typeof PEERS)[number])) {
        this.#open.add(textOf({ network: peer.network, peerId: peer.id, address: at }))
      }
    }
  }

  check(): void {
    const { registry } = this.#parts
    for (const [text, { key, expiresAt }] of this.#kept) {
      if (expiresAt <= this.#now) {
        this.#kept.delete(text)
      } else {
        const found = registry.find(key)
        assert.ok(found !== undefined, `${text} was answered for and is gone`)
        assert.ok(found.expiresAt >= expiresAt || this.#open.has(text), `${text} ends before it was said to`)
      }
    }
    for (const registration of registry.all()) {
      const text = textOf(keyOf(registration))
      const wasAsked = this.#kept.has(text) || this.#open.has(text) || registration.expiresAt <= this.#now
      assert.ok(wasAsked && !registration.provisional, `${text} is there and nobody was told`)
    }
    for (const name of NETWORKS) {
      this.#checkAnswers(name)
    }
  }

  /** Nothing is handed out that was not proved of late, and all that was is. */
  #checkAnswers(name: string): void {
    const { point, registry } = this.#parts
    const asker = callerFrom('asker', '/ip4/1.1.1.1/tcp/5')
    const peers = point.listing.for(asker).peers({ network: name, limit: 100 })
    const handed = new Set(peers.flatMap((peer) => point.listing.for(asker).addressesOf(peer)))
    for (const id of PEERS) {
      const own = registry.registrationsOf(name, id)
      assert.ok(own.length <= 8)
      for (const each of own) {
        const isGood = each.health === 'reachable' && each.provedAt >= this.#now - MAX_AGE && each.expiresAt > this.#now
        assert.equal(handed.has(each), isGood)
      }
    }
  }
}

function textAt(peer: number, { home, port }: { home: number; port: number }): string {
  return `/ip4/${20 + peer}.${home}.0.1/tcp/${port}`
}

function textOf({ network, peerId, address }: RegistrationKey): string {
  return `${peerId} ${address} ${network}`
}

function onlyUnavailable(err: unknown): void {
  if (!(err instanceof StoreUnavailableError)) {
    throw err
  }
}
