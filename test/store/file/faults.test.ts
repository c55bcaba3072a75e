import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RegistrationRecord } from '../../../src/registry/registration.ts'
import { fileStore } from '../../../src/store/file/file-store.ts'
import { type Store, StoreUnavailableError } from '../../../src/store/store.ts'
import { NOW, put, record, remove, sorted, staticEntry, testTable } from '../fixtures.ts'
import { type Call, type FakeDisk, type Fault, fakeDisk } from './fake-disk.ts'

const PATH = '/d/peers.json'
const FAULTS: readonly Fault[] = ['EIO', 'ENOSPC', 'EROFS', 'short']

interface Clock {
  now: number
}

function storeOn(disk: FakeDisk, clock: Clock = { now: NOW }) {
  const process = disk.process()
  return { ...process, store: fileStore({ path: PATH, clock: () => clock.now, fs: process.fs, lock: process.lock }) }
}

/** A list with its backup, a journal each, and changes in the last one. */
async function usedDisk(): Promise<FakeDisk> {
  const disk = fakeDisk()
  const { store } = storeOn(disk)
  await store.open()
  await store.append([put(record(1)), put(record(2)), put(record(3))])
  const table = testTable([record(1), record(2), record(3)], [staticEntry('127.0.0.1:3000')])
  await store.compact(table)
  await store.append([remove(record(2)), put(record(4))])
  ;[remove(record(2)), put(record(4))].forEach(table.apply)
  await store.compact(table)
  await store.append([put(record(5))])
  await store.close()
  return disk
}
const KEPT = [1, 3, 4, 5]

/** A life of a store: recover, change, snapshot, change. Says what was answered. */
async function live(store: Store): Promise<{ answered: Set<number>; asked: Set<number> }> {
  const answered = new Set<number>()
  const asked = new Set<number>()
  async function append(n: number): Promise<void> {
    asked.add(n)
    table.apply(put(record(n)))
    await store.append([put(record(n))]).then(
      () => answered.add(n),
      (error) => assert(error instanceof StoreUnavailableError),
    )
  }
  const recovered = await store.open()
  const table = testTable(recovered.records, recovered.statics)
  await append(6)
  const compacted = store.compact(table).catch((error) => assert(error instanceof StoreUnavailableError))
  await append(7)
  await compacted
  await append(8)
  await store.close().catch(() => {})
  return { answered, asked }
}

async function recoverWhole(disk: FakeDisk): Promise<readonly RegistrationRecord[]> {
  const { store, kill } = storeOn(disk)
  const recovered = await store.open()
  assert.deepEqual(
    recovered.statics.map((entry) => entry.json),
    [{ address: '127.0.0.1:3000' }],
  )
  kill()
  return recovered.records
}

async function callsOfALife(disk: FakeDisk): Promise<readonly Call[]> {
  const copy = disk.copy()
  await live(storeOn(copy).store)
  return copy.calls
}

for (const kind of FAULTS) {
  for (const lasting of [false, true]) {
    test(`${kind} at any call to the disk, ${lasting ? 'lasting' : 'once'}: old or new state, and nothing answered is lost`, async () => {
      const disk = await usedDisk()
      const calls = await callsOfALife(disk)
      assert(calls.length > 50)
      for (let at = 0; at < calls.length; at++) {
        const copy = disk.copy()
        const process = storeOn(copy)
        let count = 0
        copy.fault = () => ((lasting ? count++ >= at : count++ === at) ? kind : undefined)
        // A start may be refused, with the system's error; then nothing was answered.
        const { answered, asked } = await live(process.store).catch((error) => {
          assert.equal(error.code, kind)
          return { answered: new Set<number>(), asked: new Set<number>() }
        })
        process.kill()
        copy.fault = () => undefined
        const where = `${kind} at call ${at}, ${calls[at]?.name} ${calls[at]?.path}`
        JSON.parse(copy.read(PATH)!.toString())
        for (const cut of [undefined, 0, 0.5, 0.99]) {
          const end = copy.copy()
          if (cut !== undefined) {
            end.powerLoss(() => cut)
          }
          const found = new Set((await recoverWhole(end)).map((each) => Number(each.address.split(/[./]/)[5])))
          for (const n of [...KEPT, ...answered]) {
            assert(found.delete(n), `${where}: ${n} is lost`)
          }
          assert(
            [...found].every((n) => asked.has(n)),
            `${where}: ${[...found]}`,
          )
        }
      }
    })
  }
}

test('while the disk fails changes are refused at once, and it is tried again after 1, 2, 4 … 60 s', async () => {
  const disk = fakeDisk()
  const clock = { now: NOW }
  const { store } = storeOn(disk, clock)
  await store.open()
  await store.append([put(record(1))])
  disk.fault = ({ name }) => (name === 'write' ? 'ENOSPC' : undefined)
  for (const wait of [1, 2, 4, 8, 16, 32, 60, 60]) {
    await assert.rejects(store.append([put(record(2))]), { name: 'StoreUnavailableError', code: 'ENOSPC' })
    assert.deepEqual(store.state, { status: 'failing', code: 'ENOSPC', since: NOW, retryAt: clock.now + wait * 1000 })
    const calls = disk.calls.length
    await assert.rejects(store.append([put(record(2))]), { code: 'ENOSPC' })
    await assert.rejects(store.compact(testTable()), { code: 'ENOSPC' })
    assert.equal(disk.calls.length, calls, 'the disk is left alone')
    clock.now += wait * 1000
  }
  disk.fault = () => undefined
  await store.append([put(record(3))])
  assert.deepEqual(store.state, { status: 'ok' })
  await store.close()
  const next = storeOn(disk).store
  assert.deepEqual(sorted((await next.open()).records), sorted([record(1), record(3)]))
  await next.close()
})

test('all that wait for a flush that fails are told, and a change that was refused does not come back', async () => {
  const disk = fakeDisk()
  const clock = { now: NOW }
  const { store, kill } = storeOn(disk, clock)
  await store.open()
  await store.append([put(record(1))])
  // The line is written whole; the flush fails and so does the cut, so the file holds a removal that was not answered.
  disk.fault = ({ name }) => (name === 'datasync' || name === 'truncate' ? 'EIO' : undefined)
  const results = await Promise.allSettled([store.append([remove(record(1))]), store.append([put(record(2))])])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  disk.fault = () => undefined
  clock.now += 1000
  await store.append([put(record(3))])
  kill()
  assert.match(disk.read('/d/peers.json.journal-0000000001')!.toString(), /remove/)
  const next = storeOn(disk).store
  const recovered = await next.open()
  assert.deepEqual(sorted(recovered.records), sorted([record(1), record(3)]))
  assert.deepEqual(recovered.warnings, [])
  await next.close()
})

for (const failing of ['write', 'datasync'] as const) {
  for (const end of ['kill', 'power cut'] as const) {
    test(`no part of a refused change takes effect after a ${failing} that fails and a ${end}`, async () => {
      const records = [record(1), record(2), record(3)]
      const disk = fakeDisk()
      const { store, kill } = storeOn(disk)
      await store.open()
      await store.append(records.map(put))
      const answered = disk.read('/d/peers.json.journal-0000000001')
      // The failing write leaves a third of the bytes: the first line of the four is whole.
      let failed = false
      disk.fault = ({ name }) => {
        const isFailing = name === failing && !failed
        failed ||= isFailing
        return isFailing ? 'ENOSPC' : undefined
      }
      await assert.rejects(store.append([...records.map(remove), put(record(4))]), { code: 'ENOSPC' })
      assert.deepEqual(disk.read('/d/peers.json.journal-0000000001'), answered)
      kill()
      if (end === 'power cut') {
        disk.powerLoss(() => 0.49)
      }
      const next = storeOn(disk).store
      const recovered = await next.open()
      assert.deepEqual(sorted(recovered.records), sorted(records))
      assert.deepEqual(recovered.warnings, [])
      await next.close()
    })
  }
}

test('a snapshot that read the table while it had a change that was refused does not become the list', async () => {
  const disk = fakeDisk()
  const clock = { now: NOW }
  const { store, kill } = storeOn(disk, clock)
  await store.open()
  await store.append([put(record(1)), put(record(2))])
  const table = testTable([record(1), record(2)])
  let refused: Promise<unknown> | undefined
  disk.fault = ({ name, path }) => {
    if (name === 'open' && path.endsWith('.tmp')) {
      // The table has the change first, as a caller may do it, and gives it up when the store has refused it.
      table.apply(remove(record(1)))
      refused = store.append([remove(record(1))])
      refused.catch(() => {})
    }
    if (name === 'sync') {
      // A long snapshot: the disk has room again before it ends.
      clock.now += 1000
    }
    const isFull = refused !== undefined && clock.now === NOW
    return isFull && name === 'write' && path.includes('journal') ? 'ENOSPC' : undefined
  }
  await assert.rejects(store.compact(table), { name: 'StoreUnavailableError', code: 'ENOSPC' })
  await assert.rejects(refused!, { code: 'ENOSPC' })
  disk.fault = () => undefined
  table.apply(put(record(1)))
  const copy = disk.copy()
  assert.deepEqual(sorted((await storeOn(copy).store.open()).records), sorted([record(1), record(2)]))
  await store.compact(table)
  kill()
  const next = storeOn(disk).store
  assert.deepEqual(sorted((await next.open()).records), sorted([record(1), record(2)]))
  await next.close()
})

test('a snapshot that fails leaves the list and takes changes on; the state says so until one succeeds', async () => {
  const disk = await usedDisk()
  const clock = { now: NOW }
  const { store } = storeOn(disk, clock)
  const recovered = await store.open()
  const table = testTable(recovered.records, recovered.statics)
  const before = disk.read(PATH)
  disk.fault = ({ name, path }) => (name === 'write' && path.endsWith('.tmp') ? 'ENOSPC' : undefined)
  for (let n = 0; n < 10; n++) {
    await assert.rejects(store.compact(table), { name: 'StoreUnavailableError', code: 'ENOSPC' })
  }
  await store.append([put(record(6))])
  assert.equal(store.state.status, 'failing')
  assert.deepEqual(disk.read(PATH), before)
  assert.equal(disk.names().filter((name) => name.includes('journal')).length, 4, 'it does not rotate again and again')
  assert(!disk.names().includes(`${PATH}.tmp`))
  disk.fault = () => undefined
  table.apply(put(record(6)))
  await store.compact(table)
  assert.deepEqual(store.state, { status: 'ok' })
  await store.close()
  assert.match(disk.read(PATH)!.toString(), /10\.0\.0\.6/)
})

test('a journal that fails in the middle of a snapshot does not cost a change', async () => {
  const disk = fakeDisk()
  const clock = { now: NOW }
  const { store, kill } = storeOn(disk, clock)
  await store.open()
  const table = testTable(Array.from({ length: 20 }, (_, n) => record(n)))
  let appended: Promise<unknown> | undefined
  disk.fault = ({ name, path }) => {
    if (name === 'write' && path.endsWith('.tmp') && appended === undefined) {
      // In the new journal and behind the point where the snapshot read the table.
      appended = store.append([put(record(21))]).then(() => {
        disk.fault = (call) => (call.name === 'write' && call.path.includes('journal') ? 'EIO' : undefined)
        return store.append([put(record(22))]).catch(() => {
          disk.fault = () => undefined
          clock.now += 1000
        })
      })
    }
    return undefined
  }
  await store.compact(table).catch(() => {})
  await appended
  table.apply(put(record(21)))
  await store.compact(testTable(table.map.values()))
  await store.append([put(record(23))])
  kill()
  const next = storeOn(disk).store
  const recovered = await next.open()
  assert.deepEqual(sorted(recovered.records), sorted([...table.map.values(), record(23)]))
  assert.equal(recovered.trusted, true)
  await next.close()
})
