import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Dial, DialAnswer } from '../../src/proofs/dial.ts'
import { FIRST_PROOFS, Prober, type ProberInit, type ProofBudget } from '../../src/proofs/prober.ts'
import type { Registration } from '../../src/registry/registration.ts'
import { Registry } from '../../src/registry/registry.ts'
import { NOW } from '../support/tables.ts'

const WIDE: ProofBudget = {
  ...FIRST_PROOFS,
  overall: { burst: 1e6, perSecond: 1e6 },
  perIp: { burst: 1e6, perSecond: 1e6 },
  perGroup: { burst: 1e6, perSecond: 1e6 },
}

describe('a proof', () => {
  for (const [what, answer, proof] of [
    ['the registered peer answers', { peerId: 'peer' }, { ok: true }],
    ['another peer answers', { peerId: 'other' }, { ok: false, fault: 'dial_wrong_peer' }],
    ['nobody answers', { fault: 'dial_timeout' }, { ok: false, fault: 'dial_timeout' }],
  ] as const) {
    it(`is ${JSON.stringify(proof)} when ${what}`, async () => {
      const prober = proberOf({ dial: async () => answer, clock: () => NOW })
      assert.deepEqual(await prober.prove(registration('8.8.8.8')), proof)
      assert.equal(prober.size, 0)
    })
  }

  it('is shared by all who wait for it, and made anew for who comes later', async () => {
    const dials = manualDials()
    const prober = proberOf({ dial: dials.dial, clock: () => NOW, budget: WIDE })
    const one = registration('8.8.8.8')
    const proofs = [prober.prove(one), prober.prove(one), prober.prove(registration('8.8.8.9')), prober.prove(one)]
    assert.deepEqual(dials.open(), ['/ip4/8.8.8.8/tcp/4001', '/ip4/8.8.8.9/tcp/4001'])
    dials.answer(0, { peerId: 'peer' })
    dials.answer(1, { fault: 'dial_refused' })
    assert.deepEqual(
      (await Promise.all(proofs)).map((proof) => proof?.ok),
      [true, true, false, true],
    )
    prober.prove(one)
    assert.equal(dials.open().length, 3)
  })

  it('waits when there were too many of late, and begins as time goes on', async () => {
    let now = NOW
    const dials = manualDials()
    const budget = { ...WIDE, overall: { burst: 3, perSecond: 2 } }
    const prober = proberOf({ dial: dials.dial, clock: () => now, budget })
    for (let i = 1; i <= 6; i++) {
      prober.prove(registration(`8.8.8.${i}`))
    }
    assert.equal(dials.open().length, 3)
    for (const [later, begun] of [
      [0, 3],
      [499, 3],
      [1, 4],
      [10_000, 6],
    ] as const) {
      now += later
      prober.tick()
      await nextTurn()
      assert.equal(dials.open().length, begun)
    }
  })

  it('is not known to who stops waiting, and goes on for who asks next', async () => {
    const dials = manualDials()
    const prober = proberOf({ dial: dials.dial, clock: () => NOW })
    const one = registration('8.8.8.8')
    const waiting = new AbortController()
    const cut = prober.prove(one, waiting.signal)
    waiting.abort()
    assert.equal(await cut, undefined)
    assert.equal(await prober.prove(one, AbortSignal.abort()), undefined)
    const later = prober.prove(one)
    assert.equal(dials.open().length, 1)
    dials.answer(0, { peerId: 'peer' })
    assert.deepEqual(await later, { ok: true })
  })

  it('that fails by a bug is that bug, and frees its place', async () => {
    const dial = async () => {
      throw new Error('bug')
    }
    const prober = proberOf({ dial, clock: () => NOW, budget: { ...WIDE, parallel: 1 } })
    for (let n = 0; n < 3; n++) {
      await assert.rejects(prober.prove(registration('8.8.8.8')), /bug/)
    }
    assert.equal(prober.size, 0)
  })
})

describe('the budget', () => {
  it('holds for dials at a time, and whatever ends makes room for the next', async () => {
    const dials = manualDials()
    const prober = proberOf({ dial: dials.dial, clock: () => NOW, budget: { ...WIDE, parallel: 3 } })
    const proofs = Array.from({ length: 10 }, (_, n) => prober.prove(registration(`8.${n}.0.1`)))
    for (let n = 0; n < 10; n++) {
      assert.equal(dials.open().length, Math.min(10, n + 3))
      dials.answer(n, { fault: 'dial_timeout' })
      await nextTurn()
    }
    assert.ok((await Promise.all(proofs)).every((proof) => proof?.ok === false))
  })

  it('is spent group by group: a crowd in one network does not hold up the others', async () => {
    const dials = manualDials()
    const prober = proberOf({ dial: dials.dial, clock: () => NOW, budget: { ...WIDE, parallel: 1 } })
    for (const ip of ['8.8.0.0', '8.8.0.1', '8.8.0.2', '8.8.0.3', '9.9.0.1', '9.9.0.2', '7.7.0.1']) {
      prober.prove(registration(ip))
    }
    for (let n = 0; n < 6; n++) {
      dials.answer(n, { fault: 'dial_timeout' })
      await nextTurn()
    }
    const order = dials.open().map((address) => address.slice(5, -9))
    assert.deepEqual(order, ['8.8.0.0', '8.8.0.1', '9.9.0.1', '7.7.0.1', '8.8.0.2', '9.9.0.2', '8.8.0.3'])
  })

  it('keeps a bounded number waiting', async () => {
    const dials = manualDials()
    const prober = proberOf({ dial: dials.dial, clock: () => NOW, budget: { ...WIDE, parallel: 2, queued: 5 } })
    for (let n = 0; n < 7; n++) {
      prober.prove(registration(`8.${n}.0.1`))
    }
    assert.deepEqual(await prober.prove(registration('9.9.9.9')), { ok: false, fault: 'dial_busy' })
    assert.equal(prober.size, 7)
  })

  it('floods nobody in our name: so many dials towards one IP, one /64, one network group, and no more', async () => {
    let now = NOW
    const dialled: string[] = []
    const dial: Dial = async (address) => {
      dialled.push(address)
      return { fault: 'dial_refused' }
    }
    const prober = proberOf({ dial, clock: () => now, budget: { ...FIRST_PROOFS, overall: WIDE.overall } })
    const { perIp, perGroup } = FIRST_PROOFS
    for (const [member, most] of [
      [() => '8.8.8.8', perIp.burst],
      [(n: number) => `2a01:4f8::${n.toString(16)}`, perIp.burst],
      [(n: number) => `9.9.${n >> 8}.${n & 255}`, perGroup.burst],
    ] as const) {
      dialled.length = 0
      for (let n = 0; n < 1000; n++) {
        await prober.prove(registration(member(n)))
      }
      assert.equal(dialled.length, most, member(0))
    }
    dialled.length = 0
    now += 10_000
    for (let n = 0; n < 100; n++) {
      await prober.prove(registration('8.8.8.8'))
    }
    assert.equal(dialled.length, 10 * perIp.perSecond)
  })

  it('knows no rate inside private ranges', async () => {
    const prober = proberOf({
      dial: async () => ({ peerId: 'peer' }),
      clock: () => NOW,
      budget: { ...FIRST_PROOFS, overall: WIDE.overall },
    })
    for (const ip of ['127.0.0.1', '10.0.0.1']) {
      for (let n = 0; n < 2000; n++) {
        assert.deepEqual(await prober.prove(registration(ip)), { ok: true })
      }
    }
  })
})

it('identify returns the PeerId that answers at an address, or why none does', async () => {
  const dial: Dial = async (address) => (address.includes('8.8.8.8') ? { peerId: 'peer' } : { fault: 'dial_refused' })
  const prober = proberOf({ dial, clock: () => NOW })
  assert.deepEqual(await prober.identify('/ip4/8.8.8.8/tcp/4001'), { peerId: 'peer' })
  assert.deepEqual(await prober.identify('/ip4/9.9.9.9/tcp/4001'), { fault: 'dial_refused' })
})

function registration(ip: string): Registration {
  const address = `/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/4001`
  return new Registry({ listing: 'verified' }).put(
    { network: '', peerId: 'peer', address },
    { now: NOW, expiresAt: NOW + 1e6 },
  )
}

/** Dials that end when the test says so. */
function manualDials() {
  const dials: Array<{ address: string; end: (answer: DialAnswer) => void }> = []
  const dial: Dial = (address) => new Promise((end) => dials.push({ address, end }))
  return {
    dial,
    open: () => dials.map(({ address }) => address),
    answer: (n: number, answer: DialAnswer) => dials[n]!.end(answer),
  }
}

/** A prober with the newcomers' budget, and without visits. */
function proberOf(init: Pick<ProberInit, 'dial' | 'clock'> & Partial<ProberInit>): Prober {
  return new Prober({ budget: FIRST_PROOFS, visitOf: () => undefined, ...init })
}
