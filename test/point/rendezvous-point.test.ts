import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AddressOutcome } from '../../src/point/point-api.ts'
import type { PointWatcher } from '../../src/point/point-watcher.ts'
import type { Proof } from '../../src/point/prover.ts'
import type { RendezvousPointInit } from '../../src/point/rendezvous-point.ts'
import { accessList } from '../../src/policy/access-list.ts'
import type { Change, RegistrationRecord } from '../../src/registry/registration.ts'
import { StoreUnavailableError } from '../../src/store/store.ts'
import { callerFrom, type TestPoint, testPoint } from '../support/points.ts'
import { HOUR, NOW } from '../support/tables.ts'

const HOME = '/ip4/8.8.8.8/tcp/4001'
const KEY = { network: '', peerId: 'peer', address: HOME }
const NEVER = new AbortController().signal

describe('a registration', () => {
  it('whose first write fails stays when a later request for it was answered', async () => {
    const disk = manualDisk()
    const { point, registry } = setUp({ store: disk.store })
    const [first, second] = [register(point, HOME), register(point, HOME)]
    await nextTurn()
    assert.equal(disk.writes.length, 2)
    disk.fail(0)
    assert.deepEqual(codesOf(await first), ['unavailable'])
    disk.take(1)
    assert.equal((await second)[0]!.status, 'listed')
    assert.ok(registry.find(KEY) !== undefined)
  })

  it('is gone when nobody was answered for it', async () => {
    const disk = manualDisk()
    const { point, registry } = setUp({ store: disk.store })
    const both = [register(point, HOME), register(point, HOME)]
    await nextTurn()
    disk.fail(0)
    disk.fail(1)
    for (const outcomes of await Promise.all(both)) {
      assert.deepEqual(codesOf(outcomes), ['unavailable'])
    }
    assert.equal(registry.size, 0)
  })

  it('that was answered before a failing renewal stays', async () => {
    const disk = manualDisk()
    const { point, registry } = setUp({ store: disk.store })
    const first = register(point, HOME)
    await nextTurn()
    disk.take(0)
    await first
    const before = registry.find(KEY)!.expiresAt
    const renewal = register(point, HOME, 10_000_000)
    await nextTurn()
    disk.fail(1)
    assert.deepEqual(codesOf(await renewal), ['unavailable'])
    assert.equal(registry.find(KEY)?.expiresAt, before, 'as the store has it')
  })

  it('that had to make room comes back when the disk refused the one it made room for', async () => {
    const disk = manualDisk()
    const { point, registry } = setUp({ store: disk.store })
    for (let n = 0; n < 8; n++) {
      const each = register(point, `/ip4/8.8.8.8/tcp/${4001 + n}`)
      await nextTurn()
      disk.take(n)
      await each
    }
    const ninth = register(point, '/ip4/8.8.8.8/tcp/5000')
    await nextTurn()
    disk.fail(8)
    assert.deepEqual(codesOf(await ninth), ['unavailable'])
    assert.deepEqual(
      registry
        .registrationsOf('', 'peer')
        .map(({ address }) => address)
        .sort(),
      Array.from({ length: 8 }, (_, n) => `/ip4/8.8.8.8/tcp/${4001 + n}`),
    )
  })

  it('that a request removes is in the list that is written until the disk has that', async () => {
    const disk = manualDisk()
    const proofs = manualProofs()
    const { point, registry } = setUp({ store: disk.store, prover: proofs.prover })
    const eight = Array.from({ length: 8 }, (_, n) => `/ip4/8.8.8.8/tcp/${4001 + n}`)
    const records = eight.map((address) => record('peer', address))
    point.operatorList.restore({ records, statics: [], trusted: true, warnings: [] })
    const listed = () => [...point.operatorList.records()].map(({ address }) => address).sort()

    const addresses = ['/ip4/8.8.8.8/tcp/5000', '/ip4/8.8.8.8/tcp/5001']
    const two = point.register(caller(), { network: '', addresses, ttlMs: HOUR }, NEVER)
    proofs.show({ ok: true }, 0)
    await nextTurn()
    assert.equal(registry.registrationsOf('', 'peer').filter((each) => !each.provisional).length, 8, 'one made room')
    assert.deepEqual(listed(), [...eight, addresses[0]].sort())
    proofs.show({ ok: true }, 1)
    await nextTurn()
    disk.fail(0)
    assert.deepEqual(codesOf(await two), ['unavailable', 'unavailable'])
    assert.deepEqual(listed(), eight)

    const taken = point.unregister(caller(), { network: '', addresses: [] })
    assert.deepEqual(listed(), eight)
    disk.take(1)
    await taken
    assert.deepEqual(listed(), [])
  })

  it('that was taken back while it was proved is registered again, and watched', async () => {
    const proofs = manualProofs()
    const tracked: unknown[] = []
    const { point, registry } = setUp({ prover: proofs.prover, watcher: { tracked: (each) => tracked.push(each) } })
    const outcome = register(point, HOME)
    await point.unregister(caller(), { network: '', addresses: [HOME] })
    proofs.show({ ok: true })
    assert.equal((await outcome)[0]!.status, 'listed')
    const found = registry.find(KEY)
    assert.equal(found?.health, 'reachable')
    assert.deepEqual(tracked, [found])
  })

  it('that was answered as pending is not forgotten when the proof fails for who asked first', async () => {
    const proofs = manualProofs()
    const { point, registry } = setUp({ prover: proofs.prover })
    const first = register(point, HOME)
    const second = register(point, HOME)
    proofs.show(undefined, 1)
    assert.equal((await second)[0]!.status, 'pending')
    proofs.show({ ok: false, fault: 'dial_timeout' }, 0)
    assert.equal((await first)[0]!.status, 'refused')
    assert.ok(registry.find(KEY) !== undefined)
  })

  it('is not blamed for a busy bootstrap when it is renewed', async () => {
    const proofs = manualProofs()
    const { point, registry } = setUp({ prover: proofs.prover })
    const pending = register(point, HOME)
    proofs.show(undefined)
    await pending
    const renewal = register(point, HOME)
    proofs.show({ ok: false, fault: 'dial_busy' }, 1)
    assert.deepEqual(codesOf(await renewal), ['dial_busy'])
    assert.equal(registry.find(KEY)?.misses, 0)
  })

  it("of the operator's is never written as a stranger's", async () => {
    const stored: Change[] = []
    const { point } = setUp({ store: { append: async (changes) => void stored.push(...changes) } })
    point.operatorList.restore({ records: [], statics: [{ json: {}, registration: KEY }], trusted: true, warnings: [] })
    const [outcome] = await register(point, HOME)
    assert.deepEqual(outcome, {
      status: 'listed',
      requested: HOME,
      address: HOME,
      renewed: true,
      expiresAt: undefined,
    })
    assert.deepEqual(stored, [])
    assert.deepEqual(codesOf(await point.unregister(caller(), { network: '', addresses: [] })), ['static'])
  })

  it('that a full disk did not let go counts as taken back no more than it is', async () => {
    const disk = manualDisk()
    let now = NOW
    const { point, registry } = setUp({ store: disk.store, clock: () => now })
    const first = register(point, HOME)
    await nextTurn()
    disk.take(0)
    await first
    const listed = [...point.operatorList.records()]
    const back = point.unregister(caller(), { network: '', addresses: [HOME] })
    disk.fail(1)
    assert.deepEqual(codesOf(await back), ['unavailable'])
    assert.ok(registry.find(KEY) !== undefined)

    // It runs out. The operator's edit of the list that has its line brings it back.
    now = registry.find(KEY)!.expiresAt
    point.tick()
    assert.equal(registry.size, 0)
    const records = listed.map((each) => ({ ...each, expiresAt: now + HOUR }))
    assert.deepEqual(point.operatorList.merge({ records, statics: [] }, 0), { added: 1, removed: 0 })
  })

  it('that is being taken back does not come back with an edit that is read meanwhile', async () => {
    const disk = manualDisk()
    const { point, registry } = setUp({ store: disk.store })
    const first = register(point, HOME)
    await nextTurn()
    disk.take(0)
    await first
    const records = [...point.operatorList.records()]
    const back = point.unregister(caller(), { network: '', addresses: [HOME] })
    assert.deepEqual(point.operatorList.merge({ records, statics: [] }, 0), { added: 0, removed: 0 })
    disk.take(1)
    assert.deepEqual(codesOf(await back), ['removed'])
    assert.equal(registry.size, 0)
  })

  it('that was taken back does not come back with the edit of an older list', async () => {
    const { point } = setUp({})
    await register(point, HOME)
    const records = [...point.operatorList.records()]
    assert.deepEqual(await point.unregister(caller(), { network: '', addresses: [HOME] }), [
      { status: 'removed', requested: HOME, address: HOME },
    ])
    assert.deepEqual(point.operatorList.merge({ records, statics: [] }, 0), { added: 0, removed: 0 })
  })
})

it('what the operator denies does not come back with a restart, nor with a hand edit', () => {
  const rules = { ...RULES, access: accessList({ deny: ['8.8.0.0/16', 'gone'], allow: [] }) }
  const { point, registry } = setUp({ rules })
  const records = [
    record('peer', HOME),
    record('gone', '/ip4/9.9.9.9/tcp/4001'),
    record('stays', '/ip4/9.9.9.9/tcp/4002'),
  ]
  point.operatorList.restore({ records, statics: [], trusted: true, warnings: [] })
  assert.deepEqual(
    [...registry.all()].map(({ peer: { id } }) => id),
    ['stays'],
  )
  const { unserved } = point.operatorList.merge({ records, statics: [] }, 0)
  assert.equal(unserved?.count, 2)
  assert.deepEqual(
    [...registry.all()].map(({ peer: { id } }) => id),
    ['stays'],
  )
})

it('what no peer may register is taken from no list, at a start or by hand, and the operator is told', () => {
  const rules = { ...RULES, networks: new Set(['', 'mine']), access: accessList({ deny: ['66.0.0.0/8'], allow: [] }) }
  const bad = [
    record('port', '/ip4/8.8.8.8/tcp/23'),
    record('multicast', '/ip4/224.0.0.1/tcp/4001'),
    record('denied', '/ip4/66.1.1.1/tcp/4001'),
    { ...record('elsewhere', '/ip4/8.8.8.8/tcp/4001'), network: 'theirs' },
  ]
  const records = [...bad, record('good', HOME), { ...record('good', '/ip4/10.0.0.1/tcp/4001'), network: 'mine' }]
  const own = (registration: { network: string; address: string; peerId: string | undefined }) => ({
    json: { address: registration.address },
    registration,
  })
  const statics = [
    own({ network: '', address: '/ip4/127.0.0.1/tcp/23', peerId: undefined }),
    own({ network: '', address: '/ip4/127.0.0.1/tcp/4001', peerId: undefined }),
    own({ network: '', address: '/ip4/224.0.0.1/tcp/4001', peerId: 'mine' }),
  ]
  const check = (point: TestPoint['point'], told: string) => {
    const listed = [...point.view.peers(undefined)].map(({ id }) => id)
    assert.deepEqual(listed, ['good', 'good'])
    assert.deepEqual(
      point.view.statics.map(({ registration }) => registration?.address),
      [undefined, '/ip4/127.0.0.1/tcp/4001', undefined],
    )
    assert.deepEqual(
      point.view.statics.map(({ json }) => json),
      statics.map(({ json }) => json),
      'the file keeps them',
    )
    for (const { peerId, address } of bad) {
      assert.match(told, new RegExp(`${address}/p2p/${peerId}( in "theirs")?: .`))
    }
    assert.match(told, /127\.0\.0\.1\/tcp\/23: ports below 1024/)
  }
  const started = setUp({ rules }).point
  const warnings = started.operatorList.restore({ records, statics, trusted: true, warnings: [] })
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /not served: 6\./)
  check(started, warnings[0]!)

  const edited = setUp({ rules }).point
  const merged = edited.operatorList.merge({ records, statics }, 0)
  assert.deepEqual([merged.added, merged.unserved?.count], [5, 6])
  check(edited, merged.unserved!.named.join('\n'))
})

it('a hand edit of a list that was begun while a proof ran does not cost the peer its registration', async () => {
  const proofs = manualProofs()
  let now = NOW
  const { point, registry } = setUp({ prover: proofs.prover, clock: () => now })
  const answer = register(point, HOME)
  now += 1000
  const begun = now
  assert.deepEqual([...point.operatorList.records()], [], 'the list that is begun now does not have it')
  now += 1000
  proofs.show({ ok: true })
  assert.equal((await answer)[0]!.status, 'listed')
  assert.deepEqual(point.operatorList.merge({ records: [], statics: [] }, begun), { added: 0, removed: 0 })
  assert.ok(registry.find(KEY) !== undefined)
  assert.deepEqual(point.operatorList.merge({ records: [], statics: [] }, now + 1), { added: 0, removed: 1 })
})

const RULES = {
  networks: undefined,
  maxNetworks: 10,
  maxRegistrations: 100,
  maxPeersPerNetwork: 100,
  allowForeignIp: false,
  allowPrivateIp: false,
  unlimitedNeighbours: false,
  access: accessList({ deny: [], allow: [] }),
}

/** A point whose peers answer wherever they register, unless the test proves by hand. */
function setUp(over: Partial<RendezvousPointInit> & { watcher?: Partial<PointWatcher> }): TestPoint {
  return testPoint({ clock: () => NOW, dial: async () => ({ peerId: 'peer' }), ...over })
}

function caller() {
  return callerFrom('peer', HOME)
}

/** The code of each refusal, the status of what is not refused. */
function codesOf(outcomes: readonly AddressOutcome[]): string[] {
  return outcomes.map((each) => (each.status === 'refused' ? each.refusal.code : each.status))
}

function register(point: TestPoint['point'], address: string, ttlMs = 7_200_000) {
  return point.register(caller(), { network: '', addresses: [address], ttlMs }, NEVER)
}

function record(peerId: string, address: string): RegistrationRecord {
  return { network: '', peerId, address, registeredAt: NOW - HOUR, expiresAt: NOW + HOUR, provedAt: NOW }
}

/** A disk that takes or refuses each write when the test says so. */
function manualDisk() {
  const writes: Array<{ resolve: () => void; reject: (err: Error) => void }> = []
  return {
    writes,
    store: { append: () => new Promise<void>((resolve, reject) => writes.push({ resolve, reject })) },
    take: (n: number) => writes[n]!.resolve(),
    fail: (n: number) => writes[n]!.reject(new StoreUnavailableError('ENOSPC', undefined)),
  }
}

function manualProofs() {
  const waiting: Array<(proof: Proof | undefined) => void> = []
  return {
    prover: { prove: () => new Promise<Proof | undefined>((resolve) => waiting.push(resolve)) },
    show: (proof: Proof | undefined, n = 0) => waiting[n]!(proof),
  }
}
