import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Change, keyText } from '../../../src/registry/registration.ts'
import { fileStore } from '../../../src/store/file/file-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { cases } from '../../support/cases.ts'
import { HOUR, NOW, put, record, remove, testTable } from '../fixtures.ts'
import { fakeDisk } from './fake-disk.ts'

const PATH = '/d/peers.json'
const KEYS = 6
const RUNS = cases(500, 3000)
const CODES = ['EIO', 'ENOSPC', 'EROFS', 'short'] as const

/** Whether the table is changed before the change is appended, or after it was. Callers may do either. */
type Order = 'table first' | 'table last'

const order = fc.constantFrom<Order>('table first', 'table last')
const change = fc.record({
  do: fc.constantFrom('put', 'put', 'remove'),
  key: fc.nat(KEYS - 1),
})
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('changes' as const),
      changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('compact' as const), meanwhile: fc.array(change, { maxLength: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      after: fc.nat(25),
      code: fc.constantFrom(...CODES),
      calls: fc.constantFrom(1, 1, 2, 10),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('lose the list' as const),
      how: fc.constantFrom('gone', 'cut', 'flipped'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      how: fc.constantFrom('close', 'kill', 'power cut'),
      // Killed in the middle of something: after so many calls to the disk.
      during: fc.option(
        fc.record({ changes: fc.array(change, { maxLength: 3 }), compact: fc.boolean(), calls: fc.nat(30) }),
      ),
      duringOpen: fc.option(fc.nat(30)),
      seed: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
  },
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

test('whatever happens to disk and process, what was answered is recovered and nothing else is', {
  timeout: 120_000,
}, async () => {
  let restarts = 0
  await fc.assert(
    fc.asyncProperty(order, fc.array(command, { minLength: 1, maxLength: 25 }), async (callers, commands) => {
      const world = await newWorld(callers)
      for (const each of commands) {
        await world.run(each)
      }
      await world.run({ kind: 'restart', how: 'kill', during: null, duringOpen: null, seed: 0 })
      restarts += world.restarts
    }),
    { numRuns: RUNS },
  )
  assert(restarts > RUNS)
})

/** Each put has an expiry of its own, so that they can be told apart; undefined stands for nothing. */
interface Version {
  readonly expiresAt: number | undefined
}

async function newWorld(order: Order) {
  const disk = fakeDisk()
  const table = testTable()
  /** What may be on the disk for each key, in the order it was asked for. */
  const possible = new Map<number, Version[]>()
  const unsettled = new Set<Promise<unknown>>()
  let now = NOW
  let counter = 0
  let restarts = 0
  let syncFailed = false
  let cutFailed = false
  let process = disk.process()
  let store: Store = newStore()
  await store.open()

  function newStore(): Store {
    return fileStore({ path: PATH, clock: () => now, fs: process.fs, lock: process.lock })
  }

  function possibleOf(key: number): Version[] {
    const known = possible.get(key) ?? [{ expiresAt: undefined }]
    possible.set(key, known)
    return known
  }

  function apply(what: { do: string; key: number }): void {
    const version: Version = { expiresAt: what.do === 'put' ? NOW + HOUR + counter++ : undefined }
    const { expiresAt } = version
    const next = record(what.key, { expiresAt: expiresAt ?? 0, provedAt: NOW - 1000 })
    const asChange: Change = expiresAt === undefined ? remove(next) : put(next)
    if (order === 'table first') {
      table.apply(asChange)
    }
    const versions = possibleOf(what.key)
    versions.push(version)
    const settled = store.append([asChange]).then(
      () => {
        if (order === 'table last') {
          table.apply(asChange)
        }
        // What was there before is gone for good; what was asked for later may be there.
        versions.splice(0, versions.indexOf(version))
      },
      () => {
        // The caller was told no. A table that has it may be on the disk all the same, and so may a line that could not
        // be cut off.
        if (order === 'table last' && !cutFailed) {
          versions.splice(versions.indexOf(version), 1)
        }
      },
    )
    track(settled)
  }

  function track(promise: Promise<unknown>): void {
    unsettled.add(promise)
    void promise.finally(() => unsettled.delete(promise))
  }

  async function settle(): Promise<void> {
    await Promise.all(unsettled)
  }

  async function reopen(openCalls: number | null): Promise<void> {
    restarts += 1
    assert.deepEqual(table.merges, [], 'nobody edited the list by hand')
    disk.fault = () => undefined
    if (openCalls !== null) {
      // Killed while it recovers, then started again.
      await runUntilKilled(openCalls, () => store.open())
      process = disk.process()
      store = newStore()
    }
    const recovered = await store.open()
    const found = new Map(recovered.records.map((each) => [keyText(each), each]))
    assert.equal(found.size, recovered.records.length)
    for (let key = 0; key < KEYS; key++) {
      const text = keyText(record(key))
      const value = found.get(text)
      assert(
        possibleOf(key).some((version) => version.expiresAt === value?.expiresAt),
        `key ${key}: recovered ${value?.expiresAt}, expected one of ${JSON.stringify(possibleOf(key))}; ${recovered.warnings}`,
      )
      if (value !== undefined) {
        assert.deepEqual({ ...value, provedAt: 0 }, record(key, { expiresAt: value.expiresAt, provedAt: 0 }))
        assert(value.provedAt === NOW - 1000 || (!recovered.trusted && value.provedAt === 0))
      }
      // What was not answered and did not reach the disk when it was told to may be read once and be gone later.
      if (!syncFailed) {
        possible.set(key, [{ expiresAt: value?.expiresAt }])
      }
      found.delete(text)
    }
    cutFailed = false
    assert.equal(found.size, 0, 'nothing else is recovered')
    table.map.clear()
    for (const each of recovered.records) {
      table.apply(put({ ...each, provedAt: NOW - 1000 }))
    }
  }

  /** Ends the process at its `calls`-th call to the disk from now, or when `work` is done. */
  async function runUntilKilled(calls: number, work: () => Promise<unknown>): Promise<void> {
    const running = process
    const killed = Promise.withResolvers<void>()
    let left = calls
    disk.fault = () => {
      left -= 1
      if (left < 0) {
        running.kill()
        killed.resolve()
      }
      return undefined
    }
    await Promise.race([killed.promise, work().catch(() => {})])
    disk.fault = () => undefined
    running.kill()
    unsettled.clear()
  }

  return {
    get restarts() {
      return restarts
    },
    async run(step: Command): Promise<void> {
      switch (step.kind) {
        case 'changes':
          step.changes.forEach(apply)
          await settle()
          return
        case 'compact': {
          const compacted = store.compact(table).catch(() => {})
          for (const each of step.meanwhile) {
            apply(each)
            await new Promise(setImmediate)
          }
          await compacted
          await settle()
          return
        }
        case 'fault': {
          let { after, calls } = step
          let isCut = false
          disk.fault = ({ name }) => {
            isCut = name === 'truncate' || (isCut && name === 'datasync')
            after -= 1
            if (after < 0 && calls > 0) {
              calls -= 1
              syncFailed ||= name.endsWith('sync')
              cutFailed ||= isCut && step.code !== 'short'
              return step.code
            }
            return undefined
          }
          return
        }
        case 'wait':
          disk.fault = () => undefined
          now += 60_000
          // However long it failed, now it must work again.
          apply({ do: 'put', key: 0 })
          await settle()
          assert.equal(possibleOf(0).length, 1, 'the store takes changes again once the disk does')
          return
        case 'lose the list': {
          // Only where the whole table is on the disk twice may it be lost once.
          disk.fault = () => undefined
          now += 60_000
          await store.compact(table)
          await store.compact(table)
          for (let key = 0; key < KEYS; key++) {
            possible.set(key, [{ expiresAt: table.map.get(keyText(record(key)))?.expiresAt }])
          }
          apply({ do: 'put', key: 1 })
          await settle()
          process.kill()
          const list = disk.read(PATH)!
          disk.replace(
            PATH,
            step.how === 'cut' ? list.subarray(0, list.length - 4) : step.how === 'gone' ? '' : `x${list.subarray(1)}`,
          )
          process = disk.process()
          store = newStore()
          await reopen(null)
          return
        }
        case 'restart': {
          const { during } = step
          if (during !== null) {
            await runUntilKilled(during.calls, async () => {
              const compacted = during.compact ? store.compact(table) : undefined
              during.changes.forEach(apply)
              await settle()
              await compacted
            })
          } else if (step.how === 'close') {
            await store.close().catch(() => {})
          }
          process.kill()
          if (step.how === 'power cut') {
            let seed = step.seed
            disk.powerLoss(() => {
              seed = (seed * 9301.7 + 0.49297) % 1
              return seed
            })
            syncFailed = false
          }
          process = disk.process()
          store = newStore()
          await reopen(step.duringOpen)
        }
      }
    },
  }
}
