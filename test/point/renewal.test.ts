import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { AddressOutcome } from '../../src/point/point-api.ts'
import { type Change, keyText } from '../../src/registry/registration.ts'
import { StoreUnavailableError } from '../../src/store/store.ts'
import { callerFrom, testPoint } from '../support/points.ts'
import { NOW } from '../support/tables.ts'

const HOME = '/ip4/8.8.8.8/tcp/4001'
const CALLER = callerFrom('peer', HOME)
const NEVER = new AbortController().signal
const HOUR = 3_600_000

describe('a renewal', () => {
  it('that changes little is not written, and answered with the end that the store has', async () => {
    const { renew, disk, advance } = setUp()
    const first = await renew(2 * HOUR)
    for (let n = 0; n < 100; n++) {
      advance(1000)
      assert.equal(await renew(2 * HOUR), first)
    }
    assert.equal(disk.writes, 1)
    advance(720_000)
    assert.equal(await renew(2 * HOUR), NOW + 820_000 + 2 * HOUR)
    assert.equal(disk.writes, 2)
  })

  it('is written at most every ten seconds, whatever times to live it asks for in turn', async () => {
    const { renew, disk, advance } = setUp()
    let ttl = 60_000
    for (let n = 0; n < 20 * 600; n++) {
      ttl = ttl > 200_000_000 ? 60_000 : ttl * 2
      await renew(ttl)
      assert.ok(disk.stored() >= disk.answered)
      advance(50)
    }
    assert.ok(disk.writes <= 1 + 4 + 60, `${disk.writes}`)
  })

  it('every 30 s of a registration for a minute keeps it', async () => {
    const { renew, advance } = setUp()
    for (let n = 0; n < 100; n++) {
      assert.equal(await renew(60_000), NOW + n * 30_000 + 60_000)
      advance(30_000)
    }
  })

  it('leaves the end that was answered in the store, whatever is renewed at once and fails', async () => {
    const ttl = fc.integer({ min: 60_000, max: 259_200_000 })
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 20_000 }),
      ttls: fc.array(fc.oneof(ttl, fc.constant(7_200_000)), { minLength: 1, maxLength: 4 }),
      fails: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const { point, disk, advance } = setUp()
        for (const { wait, ttls, fails } of steps) {
          advance(wait)
          disk.fails = [...fails]
          const answers = ttls.map((ttlMs) =>
            point.register(CALLER, { network: '', addresses: [HOME], ttlMs }, NEVER).then(([outcome]) => {
              return endOf(outcome!)
            }),
          )
          const ends = (await Promise.all(answers)).filter((end) => end !== undefined)
          assert.ok(ends.length === 0 || disk.stored() === ends.at(-1), `${disk.stored()} of ${ends}`)
          const [registration] = point.view.registrationsOf('', 'peer')
          assert.equal(
            registration?.expiresAt,
            disk.size === 0 ? undefined : disk.stored(),
            'in memory as in the store',
          )
        }
      }),
      { numRuns: 300 },
    )
  })
})

/** A point whose one peer answers, and a disk that applies what it takes. */
function setUp() {
  let now = NOW
  const kept = new Map<string, number>()
  const disk = {
    writes: 0,
    answered: 0,
    fails: [] as boolean[],
    get size() {
      return kept.size
    },
    stored: () => kept.get(keyText({ network: '', peerId: 'peer', address: HOME })) ?? 0,
    async append(changes: readonly Change[]) {
      const fails = disk.fails.shift() === true
      await Promise.resolve()
      if (fails) {
        throw new StoreUnavailableError('ENOSPC', undefined)
      }
      disk.writes++
      for (const change of changes) {
        if (change.kind === 'put') {
          kept.set(keyText(change.record), change.record.expiresAt)
        } else {
          kept.delete(keyText(change.key))
        }
      }
    },
  }
  const { point } = testPoint({
    clock: () => now,
    dial: async () => ({ peerId: 'peer' }),
    prover: { prove: async () => ({ ok: true }) },
    store: disk,
  })
  const renew = async (ttlMs: number) => {
    const [outcome] = await point.register(CALLER, { network: '', addresses: [HOME], ttlMs }, NEVER)
    disk.answered = endOf(outcome!)!
    return disk.answered
  }
  const advance = (ms: number) => {
    now += ms
  }
  return { point, disk, renew, advance }
}

function endOf(outcome: AddressOutcome): number | undefined {
  return outcome.status === 'listed' || outcome.status === 'pending' ? outcome.expiresAt : undefined
}
