import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { peerIdOf } from '../../../src/client/bootstrap-address.ts'
import type { BootstrapError } from '../../../src/client/bootstrap-error.ts'
import type { SessionClient } from '../../../src/client/discovery/bootstrap-session.ts'
import { Bootstraps } from '../../../src/client/discovery/bootstraps.ts'
import type { LearnedBootstrap } from '../../../src/client/discovery/bootstraps-init.ts'
import { anyPeerId } from '../../support/known-peers.ts'
import { virtualTime } from '../../support/virtual-time.ts'
import { fakeClient } from './fake-sessions.ts'

const MINUTE = 60_000
const COMPLETE = { origins: new Map<string, string>(), state: 'complete' } as const
const ONE = ['/ip4/203.0.113.1/tcp/4000/p2p/one', '/ip4/203.0.113.2/tcp/4000/p2p/one']

describe('the bootstraps of a node', () => {
  function begin() {
    const time = virtualTime()
    const fake = fakeClient(time.now)
    const connected: string[][] = []
    const fakes = new Map<string, { readonly client: SessionClient }>()
    const unregistered: Array<[string, BootstrapError | undefined]> = []
    const gone: string[] = []
    const remembered = new Map<string, LearnedBootstrap>()
    const ignore = () => {}
    const bootstraps = new Bootstraps({
      connect: (addresses) => {
        connected.push([...addresses])
        const id = peerIdOf(addresses[0]!)
        const of = id === undefined ? undefined : fakes.get(id)
        return of === undefined ? fake.client : of.client
      },
      addresses: () => ['/ip4/0.0.0.0/tcp/4001'],
      ownId: 'me',
      ttl: 7_200_000,
      refreshInterval: 5 * MINUTE,
      wantsMore: () => true,
      scheduler: time,
      random: Math.random,
      onAnswer: ignore,
      onOutcomes: ignore,
      onFailure: ignore,
      onMet: ignore,
      onChanged: (bootstrap) => remembered.set(bootstrap.id, { ...bootstrap }),
      onGone: (id) => {
        gone.push(id)
        remembered.delete(id)
      },
      onUnregistered: ({ id }, error) => unregistered.push([id, error]),
    })
    /** One that answers with what it is told to name. */
    const fakeOf = () => {
      const id = anyPeerId()
      const one = { ...fakeClient(time.now), id, address: `/ip4/8.8.8.9/tcp/4000/p2p/${id}` }
      const discover = one.client.discover
      const names: string[] = []
      const client: SessionClient = {
        ...one.client,
        discover: async (options) => ({ ...(await discover(options)), bootstraps: names }),
      }
      const fakeOne = { ...one, client, names }
      fakes.set(id, fakeOne)
      return fakeOne
    }
    return { time, bootstraps, connected, unregistered, gone, remembered, fakeOf, ...fake }
  }

  it('are the same ones when a name lists their addresses in another order', async () => {
    const { time, bootstraps, connected, calls } = begin()
    bootstraps.configure(new Map([['one', ONE]]), COMPLETE)
    await time.advance(0)
    const before = calls.length
    bootstraps.configure(new Map([['one', ONE.toReversed()]]), COMPLETE)
    await time.advance(0)
    assert.equal(connected.length, 1)
    assert.equal(calls.length, before)
  })

  it('are given the time they asked for, at new addresses too', async () => {
    const { time, bootstraps, connected, of, state } = begin()
    state.up = false
    state.retryAfter = 600_000
    bootstraps.configure(new Map([['one', ONE]]), COMPLETE)
    for (let minute = 0; minute < 9; minute++) {
      bootstraps.configure(new Map([['one', [`/ip4/203.0.113.${minute}/tcp/4000/p2p/one`]]]), COMPLETE)
      await time.advance(MINUTE)
    }
    assert.equal(of('discover').length, 1)
    assert.equal(connected.length, 10)
    await time.advance(7 * MINUTE)
    assert.equal(of('discover').length, 2)
  })

  it('are unregistered with on stop also when they were taken out while this node registered', async () => {
    const { bootstraps, unregistered } = begin()
    bootstraps.configure(new Map([['one', ONE]]), COMPLETE)
    bootstraps.configure(new Map(), COMPLETE)
    await bootstraps.stop()
    assert.deepEqual(unregistered, [['one', undefined]])
  })

  describe('that others named', () => {
    const HOUR = 60 * MINUTE
    type Fake = ReturnType<ReturnType<typeof begin>['fakeOf']>
    const listOf = (...all: Fake[]) => new Map(all.map(({ id, address }) => [id, [address]]))
    const rememberedOf = ({ remembered }: ReturnType<typeof begin>) =>
      [...remembered.values()].map(({ id, addresses, namedBy, unnamedMs }) => ({
        id,
        addresses,
        origin: namedBy,
        unnamedMs,
      }))

    it('are asked, with the voice of the one that named them', async () => {
      const { time, bootstraps, fakeOf } = begin()
      const [origin, sibling] = [fakeOf(), fakeOf()]
      origin.names.push(sibling.address)
      bootstraps.configure(listOf(origin), {
        origins: new Map([[origin.id, '/dnsaddr/boot.example']]),
        state: 'complete',
      })
      await time.advance(1000)
      assert.ok(sibling.of('discover').length > 0)
      assert.ok(bootstraps.hasOrigin('/dnsaddr/boot.example'))
      assert.ok(!bootstraps.hasOrigin(origin.id) && !bootstraps.hasOrigin(sibling.id))
    })

    it('end a day after a bootstrap that was taken over is clean again', async () => {
      const { time, bootstraps, fakeOf, gone } = begin()
      const [origin, planted, honest] = [fakeOf(), fakeOf(), fakeOf()]
      bootstraps.configure(listOf(origin), COMPLETE)
      origin.names.push(planted.address, honest.address)
      await time.advance(48 * HOUR)
      origin.names.splice(0, 1)
      await time.advance(23 * HOUR)
      assert.ok(bootstraps.has(planted.id))
      await time.advance(1.5 * HOUR)
      assert.deepEqual(gone, [planted.id])
      assert.ok(bootstraps.has(honest.id))
    })

    it('do not end while the one that named them does not answer', async () => {
      const { time, bootstraps, fakeOf, gone } = begin()
      const [origin, sibling] = [fakeOf(), fakeOf()]
      bootstraps.configure(listOf(origin), COMPLETE)
      origin.names.push(sibling.address)
      await time.advance(HOUR)
      origin.names.pop()
      await time.advance(HOUR)
      origin.state.up = false
      await time.advance(7 * 24 * HOUR)
      assert.ok(bootstraps.has(sibling.id))
      origin.state.up = true
      await time.advance(22 * HOUR)
      assert.deepEqual(gone, [], 'an hour before its death counts, the week does not')
      await time.advance(2 * HOUR)
      assert.deepEqual(gone, [sibling.id])
    })

    it('end over restarts too, and with the bootstrap that named them', async () => {
      const first = begin()
      const [origin, planted] = [first.fakeOf(), first.fakeOf()]
      origin.names.push(planted.address)
      first.bootstraps.configure(listOf(origin), COMPLETE)
      await first.time.advance(HOUR)
      origin.names.pop()
      await first.time.advance(20 * HOUR)
      const [cached] = rememberedOf(first)
      assert.ok(cached!.unnamedMs > 19 * HOUR && cached!.unnamedMs < 20.2 * HOUR)

      const second = begin()
      second.bootstraps.restore([cached!])
      second.bootstraps.configure(new Map([[origin.id, [origin.address]]]), COMPLETE)
      assert.ok(second.bootstraps.has(planted.id))
      await second.time.advance(5 * HOUR)
      assert.deepEqual(second.gone, [planted.id])

      const third = begin()
      third.bootstraps.configure(new Map([['one', ONE]]), COMPLETE)
      third.bootstraps.restore([cached!])
      assert.ok(!third.bootstraps.has(planted.id))
      assert.deepEqual(third.gone, [planted.id])
    })

    it('are asked when the name of the one that named them is not found, all with one voice', async () => {
      const { bootstraps, fakeOf, gone } = begin()
      const siblings = [fakeOf(), fakeOf()]
      bootstraps.restore(
        siblings.map(({ id, address }) => ({ id, addresses: [address], origin: anyPeerId(), unnamedMs: 0 })),
      )
      bootstraps.configure(new Map(), { origins: new Map(), state: 'looking-up' })
      assert.equal(bootstraps.size, 0)
      bootstraps.configure(new Map(), { origins: new Map(), state: 'incomplete' })
      assert.equal(bootstraps.size, 2)
      bootstraps.configure(new Map([['one', ONE]]), COMPLETE)
      assert.deepEqual(
        gone,
        siblings.map(({ id }) => id),
      )
    })

    it('are not those that a sibling names', async () => {
      const { time, bootstraps, fakeOf } = begin()
      const [origin, sibling, further] = [fakeOf(), fakeOf(), fakeOf()]
      origin.names.push(sibling.address)
      sibling.names.push(further.address)
      bootstraps.configure(listOf(origin), COMPLETE)
      await time.advance(HOUR)
      assert.ok(bootstraps.has(sibling.id))
      assert.equal(further.calls.length, 0)
    })

    it('are found again where the one that named them says that they moved', async () => {
      const { time, bootstraps, connected, fakeOf } = begin()
      const [origin, sibling] = [fakeOf(), fakeOf()]
      origin.names.push(sibling.address)
      bootstraps.configure(listOf(origin), COMPLETE)
      await time.advance(MINUTE)
      origin.names[0] = sibling.address.replace('8.8.8.9', '9.9.9.9')
      await time.advance(10 * MINUTE)
      assert.deepEqual(connected.at(-1), [origin.names[0]])
      assert.equal(bootstraps.size, 2)
    })
  })

  it('are unregistered with on stop also when they were taken out of the list', async () => {
    const { time, bootstraps, unregistered, of } = begin()
    bootstraps.configure(new Map([['one', ONE]]), COMPLETE)
    await time.advance(1000)
    bootstraps.configure(new Map(), COMPLETE)
    await time.advance(1000)
    assert.equal(of('unregister').length, 0)
    await bootstraps.stop()
    assert.deepEqual(unregistered, [['one', undefined]])
  })
})
