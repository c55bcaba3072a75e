import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BootstrapError } from '../../../src/client/bootstrap-error.ts'
import { Bootstraps } from '../../../src/client/discovery/bootstraps.ts'
import { virtualTime } from '../../support/virtual-time.ts'
import { fakeClient } from './fake-sessions.ts'

const MINUTE = 60_000
const ONE = ['/ip4/203.0.113.1/tcp/4000/p2p/one', '/ip4/203.0.113.2/tcp/4000/p2p/one']

describe('the bootstraps of a node', () => {
  function begin() {
    const time = virtualTime()
    const fake = fakeClient(time.now)
    const connected: string[][] = []
    const unregistered: Array<[string, BootstrapError | undefined]> = []
    const ignore = () => {}
    const bootstraps = new Bootstraps({
      connect: (addresses) => {
        connected.push([...addresses])
        return fake.client
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
      onGone: ignore,
      onUnregistered: ({ id }, error) => unregistered.push([id, error]),
    })
    return { time, bootstraps, connected, unregistered, ...fake }
  }

  it('are the same ones when a name lists their addresses in another order', async () => {
    const { time, bootstraps, connected, calls } = begin()
    bootstraps.configure(new Map([['one', ONE]]))
    await time.advance(0)
    const before = calls.length
    bootstraps.configure(new Map([['one', ONE.toReversed()]]))
    await time.advance(0)
    assert.equal(connected.length, 1)
    assert.equal(calls.length, before)
  })

  it('are given the time they asked for, at new addresses too', async () => {
    const { time, bootstraps, connected, of, state } = begin()
    state.up = false
    state.retryAfter = 600_000
    bootstraps.configure(new Map([['one', ONE]]))
    for (let minute = 0; minute < 9; minute++) {
      bootstraps.configure(new Map([['one', [`/ip4/203.0.113.${minute}/tcp/4000/p2p/one`]]]))
      await time.advance(MINUTE)
    }
    assert.equal(of('discover').length, 1)
    assert.equal(connected.length, 10)
    await time.advance(7 * MINUTE)
    assert.equal(of('discover').length, 2)
  })

  it('are unregistered with on stop also when they were taken out while this node registered', async () => {
    const { bootstraps, unregistered } = begin()
    bootstraps.configure(new Map([['one', ONE]]))
    bootstraps.configure(new Map())
    await bootstraps.stop()
    assert.deepEqual(unregistered, [['one', undefined]])
  })

  it('are unregistered with on stop also when they were taken out of the list', async () => {
    const { time, bootstraps, unregistered, of } = begin()
    bootstraps.configure(new Map([['one', ONE]]))
    await time.advance(1000)
    bootstraps.configure(new Map())
    await time.advance(1000)
    assert.equal(of('unregister').length, 0)
    await bootstraps.stop()
    assert.deepEqual(unregistered, [['one', undefined]])
  })
})
