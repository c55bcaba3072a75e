import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { REFRESH_INTERVAL_MS } from '../../../src/client/discovery/discovery-init.ts'
import { RegistrationSchedule } from '../../../src/client/discovery/registration-schedule.ts'
import { DEFAULT_TTL_MS } from '../../../src/peer/limits.ts'

const NEVER = Number.POSITIVE_INFINITY
const AT_ONCE = Number.NEGATIVE_INFINITY
const START = 1_800_000_000_000

describe('when a node registers with a bootstrap', () => {
  function begin(addresses = ['/ip4/0.0.0.0/tcp/4001']) {
    const own = { addresses }
    const schedule = new RegistrationSchedule({
      addresses: () => own.addresses,
      ttl: DEFAULT_TTL_MS,
      refreshInterval: REFRESH_INTERVAL_MS,
      random: () => 0.5,
    })
    /** A registration is answered at this time. */
    const register = (
      at: number,
      status: 'listed' | 'pending' | 'refused',
      expiresIn: number | null = DEFAULT_TTL_MS,
    ) => {
      schedule.began()
      const outcomes = own.addresses.map((address) => ({ address, status, code: status, message: '', expiresIn }))
      schedule.answered(at, schedule.key(), outcomes)
    }
    return { schedule, own, register }
  }

  it('is at once at the start, and never without an address', () => {
    assert.ok(begin().schedule.isDue(START))
    const { schedule } = begin([])
    assert.ok(!schedule.isDue(START))
    assert.equal(schedule.nextAt(START, AT_ONCE), NEVER)
  })

  it('is half of the time that the bootstrap grants later, when it lists the node', () => {
    for (const [granted, later] of [
      [null, DEFAULT_TTL_MS / 2],
      [600_000, 300_000],
      // Less than a client asks for.
      [0, 30_000],
      [DEFAULT_TTL_MS * 10, DEFAULT_TTL_MS / 2],
    ] as const) {
      const { schedule, register } = begin()
      register(START, 'listed', granted)
      assert.equal(schedule.nextAt(START, NEVER), START + later, 'a renewal does not wait for the budget')
      assert.ok(!schedule.isDue(START + later - 1))
      assert.ok(schedule.isDue(START + later))
    }
  })

  it('is 10 s after a refusal, then twice as late each time, up to the refresh, and again 10 s once it was listed', () => {
    const { schedule, register } = begin()
    let now = START
    for (const seconds of [10, 20, 40, 80, 160, 300, 300]) {
      register(now, 'refused')
      assert.equal(schedule.nextAt(now, AT_ONCE), now + seconds * 1000)
      now += seconds * 1000
      assert.ok(schedule.isDue(now))
    }
    register(now, 'listed')
    schedule.seen(now, false)
    register(now, 'refused')
    assert.equal(schedule.nextAt(now, AT_ONCE), now + 10_000)
  })

  it('is not before the budget has room after a refusal', () => {
    const { schedule, register } = begin()
    register(START, 'refused')
    assert.equal(schedule.nextAt(START, START + 45_000), START + 45_000)
  })

  it('is pending for half a minute, or until the bootstrap shows the node', () => {
    const { schedule, register } = begin()
    register(START, 'pending')
    assert.ok(schedule.isPending(START + 29_999))
    assert.ok(!schedule.isPending(START + 30_000))
    schedule.seen(START + 1000, true)
    assert.ok(!schedule.isPending(START + 1001))
    assert.ok(schedule.isJustListed)
  })

  it('is at once when the bootstrap has lost the node, and later each time when that goes on', () => {
    const { schedule, register } = begin()
    register(START, 'listed')
    for (const later of [0, 10_000, 20_000, 40_000]) {
      schedule.seen(START, false)
      assert.equal(schedule.isDue(START), later === 0)
      assert.ok(schedule.isDue(START + later))
      register(START, 'listed')
    }
  })

  it('is a second after the addresses have changed', () => {
    const { schedule, own, register } = begin()
    register(START, 'listed')
    assert.ok(!schedule.addressesChanged(START), 'the same ones again')
    own.addresses = ['/ip4/8.8.8.8/tcp/4001']
    assert.ok(schedule.addressesChanged(START))
    assert.equal(schedule.nextAt(START, AT_ONCE), START + 1000)
    register(START + 1000, 'listed')
    assert.ok(!schedule.isDue(START + 1000))
  })
})
