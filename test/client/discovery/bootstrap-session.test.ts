import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BootstrapError } from '../../../src/client/bootstrap-error.ts'
import { Session, type SessionClient } from '../../../src/client/discovery/bootstrap-session.ts'
import { REFRESH_INTERVAL_MS } from '../../../src/client/discovery/discovery-init.ts'
import { DEFAULT_TTL_MS } from '../../../src/peer/limits.ts'
import { virtualTime } from '../../support/virtual-time.ts'
import { type Call, fakeClient } from './fake-sessions.ts'

const MINUTE = 60_000

const mostInAMinute = (calls: readonly Call[]) =>
  Math.max(...calls.map(({ at }) => calls.filter((each) => each.at >= at && each.at < at + MINUTE).length))

/** The times between calls, whole ms. */
const gapsOf = (calls: readonly Call[]) => calls.slice(1).map(({ at }, i) => Math.round(at - calls[i]!.at))

describe('a session with one bootstrap', () => {
  function begin({
    addresses = ['/ip4/0.0.0.0/tcp/4001'],
    ttl = DEFAULT_TTL_MS,
    random = Math.random,
    wantsMore = (): boolean => false,
    clientOf = (client: SessionClient): SessionClient => client,
  } = {}) {
    const time = virtualTime()
    const fake = fakeClient(time.now)
    const failures: Array<{ error: BootstrapError; retryIn: number }> = []
    const own = { addresses }
    const session = new Session({
      client: clientOf(fake.client),
      addresses: () => own.addresses,
      ttl,
      refreshInterval: REFRESH_INTERVAL_MS,
      wantsMore,
      scheduler: time,
      random,
      onAnswer: () => {},
      onOutcomes: () => {},
      onFailure: (error, retryIn) => failures.push({ error, retryIn }),
    })
    return { time, session, failures, own, ...fake }
  }

  it('asks and registers at once, side by side', async () => {
    const { session, time, calls } = begin()
    session.start()
    assert.deepEqual(
      calls.map(({ kind }) => kind),
      ['discover', 'register'],
    )
    await time.advance(0)
    assert.equal(calls.length, 2)
  })

  it('asks every five minutes, more or less', async () => {
    const { session, time, of } = begin()
    session.start()
    await time.advance(24 * 60 * MINUTE)
    const gaps = gapsOf(of('discover'))
    assert.ok(
      gaps.every((gap) => gap > 0 && gap <= 6 * MINUTE),
      'never later than 20 % over',
    )
    assert.ok(gaps.filter((gap) => gap >= 4 * MINUTE).length > gaps.length * 0.8)
    assert.ok(new Set(gaps).size > 10, 'with jitter')
  })

  it('asks again soon while the node wants more, at most 8 times in the first minute', async () => {
    for (let run = 0; run < 50; run++) {
      const { session, time, calls } = begin({ wantsMore: () => true })
      const started = time.now()
      session.start()
      await time.advance(4000)
      assert.ok(calls.length >= 4, 'three asks and a registration')
      await time.advance(55_999)
      assert.ok(calls.length <= 8, `${calls.length} exchanges`)
      assert.ok(calls.some(({ at }) => at - started > 15_000))
      await session.stop({ unregister: false })
    }
  })

  it('asks once more when it was just listed, and no more when the node has what it wants', async () => {
    const { session, time, of } = begin()
    session.start()
    await time.advance(1000)
    assert.equal(of('discover').length, 2)
    await time.advance(3 * MINUTE)
    assert.equal(of('discover').length, 2)
  })

  it('sleeps until the refresh as soon as the node has what it wants', async () => {
    const node = { wantsMore: true }
    const { session, time, of } = begin({ wantsMore: () => node.wantsMore, random: () => 0.5 })
    session.start()
    await time.advance(2500)
    const before = of('discover').length
    node.wantsMore = false
    await time.advance(3 * MINUTE)
    assert.equal(of('discover').length, before)
    node.wantsMore = true
    session.wantsMoreAgain()
    await time.advance(800)
    assert.equal(of('discover').length, before + 1, 'a peer was lost')
  })

  it('does not ask when the keeper has replaced a lost peer by itself', async () => {
    const node = { wantsMore: false }
    const { session, time, of } = begin({ wantsMore: () => node.wantsMore })
    session.start()
    await time.advance(2 * MINUTE)
    const before = of('discover').length
    node.wantsMore = true
    session.wantsMoreAgain()
    await time.advance(100)
    node.wantsMore = false
    await time.advance(MINUTE)
    assert.equal(of('discover').length, before)
  })

  /** When to register again after the first, second … registration that did not list the node, ms, for a draw. */
  const againAfter = (draw: number) =>
    [10, 20, 40, 80, 160, 300, 300, 300].map((window) => window * 1000 * (0.5 + draw))

  for (const draw of [0, 0.5, 0.999]) {
    it(`registers a refused address after 5–15 s, then twice as late each time, up to the refresh (${draw})`, async () => {
      const { session, time, calls, of, state } = begin({ random: () => draw })
      state.status = 'refused'
      session.start()
      await time.advance(60 * MINUTE)
      assert.deepEqual(gapsOf(of('register')).slice(0, 8), againAfter(draw).map(Math.round))
      assert.ok(mostInAMinute(calls) <= 8, `${mostInAMinute(calls)} in a minute`)
      state.status = 'listed'
      await time.advance(8 * MINUTE)
      assert.ok(state.listed)
    })

    it(`asks while its registration is pending, and leaves the next one room in its budget (${draw})`, async () => {
      const { session, time, calls, of, state } = begin({ random: () => draw })
      state.status = 'pending'
      session.start()
      await time.advance(20_000)
      assert.ok(of('discover').length >= 4, `${of('discover').length} asks`)
      await time.advance(40 * MINUTE)
      const gaps = gapsOf(of('register'))
      for (const [i, due] of againAfter(draw).slice(0, 6).entries()) {
        // Asks may have used up the budget of a minute.
        assert.ok(gaps[i]! >= due - 1 && gaps[i]! <= due + MINUTE, `the gaps are ${gaps}`)
      }
      assert.ok(mostInAMinute(calls) <= 8, `${mostInAMinute(calls)} in a minute`)
    })
  }

  it('tells a failed round once', async () => {
    const { session, time, failures, calls, state } = begin()
    state.up = false
    session.start()
    await time.advance(500)
    assert.equal(calls.length, 2, 'it asked and registered')
    assert.equal(failures.length, 1)
  })

  it('renews well before the time to live is over, for ever', async () => {
    const { session, time, of } = begin({ ttl: 60 * MINUTE })
    session.start()
    await time.advance(24 * 60 * MINUTE)
    const gaps = gapsOf(of('register'))
    assert.ok(gaps.length >= 24)
    assert.ok(
      gaps.every((gap) => gap >= 24 * MINUTE && gap <= 45 * MINUTE),
      `the gaps are ${gaps}`,
    )
  })

  it('goes by what the bootstrap grants', async () => {
    const { session, time, of, state } = begin()
    state.expiresIn = 2 * MINUTE
    session.start()
    await time.advance(10 * MINUTE)
    assert.ok(of('register').length >= 8)
  })

  it('registers at once when the bootstrap has forgotten it', async () => {
    const { session, time, of, state } = begin()
    session.start()
    await time.advance(1)
    state.listed = false
    await time.advance(6 * MINUTE)
    assert.equal(of('register').length, 2)
  })

  it('registers new addresses as soon as they have settled', async () => {
    const { session, time, of, own } = begin()
    session.start()
    await time.advance(1)
    own.addresses = ['/ip4/8.8.8.8/tcp/4001']
    session.addressesChanged()
    session.addressesChanged()
    await time.advance(2000)
    assert.deepEqual(
      of('register').map(({ addresses }) => addresses[0]),
      ['/ip4/0.0.0.0/tcp/4001', '/ip4/8.8.8.8/tcp/4001'],
    )
    session.addressesChanged()
    await time.advance(2000)
    assert.equal(of('register').length, 2, 'the same ones again are no news')
  })

  describe('keeps to 8 exchanges a minute', () => {
    it('with a bootstrap that grants registrations of 0 seconds, and renews them twice a minute at most', async () => {
      const { session, time, calls, of, state } = begin()
      state.expiresIn = 0
      session.start()
      await time.advance(60 * MINUTE)
      assert.ok(mostInAMinute(calls) <= 8, `${mostInAMinute(calls)} in a minute`)
      const gaps = gapsOf(of('register'))
      assert.ok(gaps.length >= 60 && gaps.every((gap) => gap >= 24_000))
    })

    it('with a bootstrap that takes every registration and never shows it, which is asked at the refresh', async () => {
      const clientOf = (client: SessionClient): SessionClient => ({
        ...client,
        discover: async (options) => ({ ...(await client.discover(options)), self: undefined }),
      })
      for (const wantsMore of [false, true]) {
        const { session, time, calls, of } = begin({ clientOf, wantsMore: () => wantsMore })
        session.start()
        await time.advance(60 * MINUTE)
        assert.ok(mostInAMinute(calls) <= 8, `${mostInAMinute(calls)} in a minute`)
        assert.ok(of('discover').length < 45, `${of('discover').length} asks`)
        assert.ok(of('register').length < 30, `${of('register').length} registrations`)
      }
    })

    it('with addresses that change every second, and registers the last of them', async () => {
      for (const wantsMore of [false, true]) {
        const { session, time, calls, of, own } = begin({ wantsMore: () => wantsMore })
        session.start()
        for (let second = 0; second < 180; second++) {
          await time.advance(1100)
          own.addresses = [`/ip4/0.0.0.0/tcp/${4001 + second}`]
          session.addressesChanged()
        }
        assert.ok(mostInAMinute(calls) <= 8, `${mostInAMinute(calls)} in a minute`)
        await time.advance(MINUTE)
        assert.deepEqual(of('register').at(-1)!.addresses, own.addresses)
      }
    })

    it('with a bootstrap that loses this node again and again', async () => {
      const { session, time, calls, state } = begin({ wantsMore: () => true })
      session.start()
      for (let second = 0; second < 180; second++) {
        await time.advance(1000)
        state.listed = false
        session.wantsMoreAgain()
      }
      assert.ok(mostInAMinute(calls) <= 8, `${mostInAMinute(calls)} in a minute`)
    })
  })

  it('registers beside the first question as soon as the node has addresses', async () => {
    let answer = () => {}
    const asked = new Promise<void>((resolve) => {
      answer = resolve
    })
    const clientOf = (client: SessionClient): SessionClient => ({
      ...client,
      discover: (options) => asked.then(() => client.discover(options)),
    })
    const { session, time, of, own } = begin({ addresses: [], clientOf })
    session.start()
    assert.equal(of('register').length, 0)
    own.addresses = ['/ip4/0.0.0.0/tcp/4001']
    session.addressesChanged()
    session.addressesChanged()
    assert.equal(of('register').length, 1)
    answer()
    await time.advance(5000)
    assert.equal(of('register').length, 1)
  })

  it('tries for ever, each time later, up to three minutes', async () => {
    const { session, time, failures, of, state } = begin()
    state.up = false
    session.start()
    await time.advance(60 * MINUTE)
    const pauses = failures.map(({ retryIn }) => retryIn)
    assert.ok(pauses[0]! <= 3000 && pauses.every((pause) => pause <= 3 * MINUTE))
    assert.ok(of('discover').length > 20)
    state.up = true
    await time.advance(3 * MINUTE)
    assert.ok(state.listed)
    assert.equal(session.failures, 0)
  })

  it('waits as long as it is told to, within reason', async () => {
    const { session, time, of, state } = begin()
    state.up = false
    state.retryAfter = 10 * MINUTE
    session.start()
    await time.advance(9 * MINUTE)
    assert.equal(of('discover').length, 1)
    state.retryAfter = 1e12
    await time.advance(2 * MINUTE)
    await time.advance(16 * MINUTE)
    assert.equal(of('discover').length, 3)
  })

  it('takes the peers of an answer that has an error beside them, and waits as long as that says', async () => {
    const { session, time, of, state, failures } = begin({ wantsMore: () => true })
    state.error = new BootstrapError('unavailable', 'fake', 'it is full', { retryAfter: 10 * MINUTE })
    session.start()
    await time.advance(9 * MINUTE)
    assert.equal(of('discover').length, 1)
    assert.deepEqual(
      failures.map(({ error }) => error.code),
      ['unavailable'],
    )
  })

  it('says that a bootstrap could not be reached to unregister', async () => {
    const { session, time, state } = begin()
    session.start()
    await time.advance(1)
    state.up = false
    const outcome = await session.stop({ unregister: true })
    assert.ok(outcome instanceof BootstrapError)
    assert.equal(outcome.code, 'unreachable')
  })

  it('unregisters what is being registered when it stops', async () => {
    const { session, of } = begin()
    session.start()
    assert.equal(of('register').length, 1, 'under way')
    assert.equal(await session.stop({ unregister: true }), true)
    assert.equal(of('unregister').length, 1)
  })

  it('calls silence on stop a timeout, after 5 s', async () => {
    const clientOf = (client: SessionClient): SessionClient => ({
      ...client,
      unregister: (_, { signal } = {}) =>
        new Promise((_resolve, reject) => {
          signal!.addEventListener('abort', () => reject(new BootstrapError('aborted', 'fake', 'it was called off')))
        }),
    })
    const { session, time } = begin({ clientOf })
    session.start()
    await time.advance(1)
    const outcome = stop(session)
    await time.advance(4999)
    assert.equal(outcome(), 'under way')
    await time.advance(1)
    assert.equal((outcome() as BootstrapError).code, 'timeout')
  })

  for (const call of ['discover', 'register', 'unregister'] as const) {
    it(`stops within 5 s though ${call} ignores its signal and never ends`, async () => {
      const clientOf = (client: SessionClient): SessionClient => ({ ...client, [call]: () => new Promise(() => {}) })
      const { session, time, of } = begin({ clientOf })
      session.start()
      await time.advance(1)
      const outcome = stop(session)
      await time.advance(5000)
      if (call === 'unregister') {
        assert.equal((outcome() as BootstrapError).code, 'timeout')
      } else {
        assert.equal(outcome(), true)
        assert.equal(of('unregister').length, 1, 'a registration may have been taken')
      }
    })
  }

  /** Begins a stop. Returns what its outcome is so far. */
  function stop(session: Session): () => unknown {
    let outcome: unknown = 'under way'
    session.stop({ unregister: true }).then((result) => {
      outcome = result
    })
    return () => outcome
  }

  it('says nothing of an unreachable bootstrap when it stops before anything was answered', async () => {
    const { session, state } = begin()
    state.up = false
    session.start()
    assert.equal(await session.stop({ unregister: true }), undefined)
  })

  it('does not wait for a bootstrap that never answered', async () => {
    const { session, time, of, state } = begin()
    state.up = false
    session.start()
    await time.advance(10_000)
    assert.equal(await session.stop({ unregister: true }), undefined)
    assert.equal(of('unregister').length, 0)
  })

  it('takes back what it registered, and is silent from then on', async () => {
    const { session, time, calls, of } = begin()
    session.start()
    await time.advance(1)
    await session.stop({ unregister: true })
    assert.equal(of('unregister').length, 1)
    const before = calls.length
    session.addressesChanged()
    await time.advance(60 * MINUTE)
    assert.equal(calls.length, before)
  })
})
