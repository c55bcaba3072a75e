import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Dial, DialAnswer } from '../../src/proofs/dial.ts'
import { FIRST_PROOFS, Prober, type ProberInit, type ProofBudget } from '../../src/proofs/prober.ts'
import type { Registration } from '../../src/registry/registration.ts'
import { Registry } from '../../src/registry/registry.ts'
import { NOW } from '../support/tables.ts'
import { virtualTime } from '../support/virtual-time.ts'

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

  it('is spent by turns inside a group, too: by subnet, and by address', async () => {
    const dials = manualDials()
    const prober = proberOf({ dial: dials.dial, clock: () => NOW, budget: { ...WIDE, parallel: 1 } })
    for (const ip of ['9.9.9.9', '2a01:1:1::1', '2a01:1:1::2', '2a01:1:1:1::1', '2a01:1:1:2::1', '2a01:1:2::1']) {
      prober.prove(registration(ip))
    }
    for (let n = 0; n < 5; n++) {
      dials.answer(n, { fault: 'dial_timeout' })
      await nextTurn()
    }
    const order = dials.open().map((address) => address.slice(5, -9))
    assert.deepEqual(order.slice(1, 3), ['2a01:1:1::1', '2a01:1:2::1'])
    assert.deepEqual(order.slice(3), ['2a01:1:1:1::1', '2a01:1:1:2::1', '2a01:1:1::2'])
  })

  it('keeps a bounded number waiting: the last of the longest queue gives way, and a newcomer of that is refused', async () => {
    const dials = manualDials()
    const prober = proberOf({ dial: dials.dial, clock: () => NOW, budget: { ...WIDE, parallel: 2, queued: 5 } })
    const ended: string[] = []
    const prove = (ip: string) =>
      void prober.prove(registration(ip)).then((proof) => ended.push(`${ip} ${proofText(proof)}`))
    for (const ip of ['8.1.0.1', '8.1.0.2', '8.8.0.1', '8.8.0.2', '8.8.0.3', '8.8.1.1', '9.9.0.1']) {
      prove(ip)
    }
    assert.equal(prober.size, 7)
    prove('7.7.0.1')
    await nextTurn()
    assert.deepEqual(ended, ['8.8.0.3 dial_busy'])
    prove('8.8.0.4')
    await nextTurn()
    assert.deepEqual(ended.slice(1), ['8.8.0.4 dial_busy'])
    prove('8.8.2.1')
    await nextTurn()
    assert.deepEqual(ended.slice(2), ['8.8.0.2 dial_busy'], 'a newcomer of the group, but not of its crowded subnet')
    prove('7.7.0.2')
    prove('7.7.0.3')
    await nextTurn()
    assert.deepEqual(ended.slice(3), ['7.7.0.3 dial_busy', '8.8.2.1 dial_busy'])
    assert.equal(prober.size, 7)
    for (let n = 0; n < 7; n++) {
      dials.answer(n, { peerId: 'peer' })
      await nextTurn()
    }
    assert.equal(ended.filter((each) => each.endsWith('ok')).length, 7)
    assert.equal(prober.size, 0)
  })

  it('that is full of silent addresses of 20 groups leaves a newcomer of any other group its turn', async () => {
    const time = virtualTime(NOW)
    const dial: Dial = async (address) => {
      if (address.startsWith('/ip4/9.')) {
        return { peerId: 'peer' }
      }
      await time.wait(4000)
      return { fault: 'dial_timeout' }
    }
    const prober = proberOf({ dial, clock: time.now })
    for (let n = 0; n < 6000; n++) {
      void prober.prove(registration(`8.${n % 20}.${n % 250}.${n % 99}`))
    }
    assert.equal(prober.size, FIRST_PROOFS.parallel + FIRST_PROOFS.queued)
    const began = time.now()
    let tookMs = Number.POSITIVE_INFINITY
    void prober.prove(registration('9.9.9.9')).then((proof) => {
      tookMs = proof?.ok ? time.now() - began : tookMs
    })
    for (let now = began; now < began + 10_000; now += 250) {
      prober.tick()
      await time.advanceTo(now)
    }
    assert.ok(tookMs <= 5000, `${tookMs} ms`)
  })

  it('of a network group is not all of one subnet that wants ever more: one beside it is dialled at once', async () => {
    let now = NOW
    const prober = proberOf({ dial: async () => ({ peerId: 'peer' }), clock: () => now })
    let attackers = 0
    const busy: number[] = []
    for (let tick = 0; tick < 600; tick++) {
      now += 100
      for (let n = 0; n < 10; n++) {
        const proof = await prober.prove(registration(`2a01:4f8:1:${(tick * 10 + n).toString(16)}::1`))
        attackers += proof?.ok && tick >= 300 ? 1 : 0
      }
      if (tick % 50 === 0) {
        const proof = await prober.prove(registration(`2a01:4f8:2:${tick.toString(16)}::1`))
        busy.push(...(proof?.ok ? [] : [tick]))
      }
      prober.tick()
    }
    assert.deepEqual(busy, [])
    assert.ok(attackers > 0.9 * 30 * FIRST_PROOFS.perGroup.perSecond, `${attackers}`)
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
      // The subnets of a group that want all of it leave a part of the burst to others.
      assert.ok(dialled.length <= most && dialled.length > 0.9 * most, `${member(0)} ${dialled.length}`)
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

function proofText(proof: Awaited<ReturnType<Prober['prove']>>): string | undefined {
  return proof?.ok === false ? proof.fault : 'ok'
}

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
