import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileStore } from '../../src/store/file-store.ts'
import { type FakeDisk, fakeDisk } from './fake-disk.ts'
import { HOUR, NOW, put, record, sorted, staticEntry, testTable } from './fixtures.ts'

const PATH = '/d/peers.json'

/** A store that runs, with three registrations and a static entry in its list. */
async function running(disk: FakeDisk = fakeDisk()) {
  const clock = { now: NOW }
  const process = disk.process()
  const store = fileStore({ path: PATH, clock: () => clock.now, fs: process.fs, lock: process.lock })
  await store.open()
  const table = testTable([record(1), record(2), record(3)], [staticEntry('127.0.0.1:3000')])
  await store.append([...table.map.values()].map(put))
  await store.compact(table)
  return { disk, clock, store, table, kill: process.kill }
}

function edit(disk: FakeDisk, change: (lines: string[]) => string[]): void {
  disk.replace(PATH, change(disk.read(PATH)!.toString().split('\n')).join('\n'))
}

const withStatic = (lines: string[]) => ['[', '{"address":"192.0.2.1:1","note":"mine"},', ...lines.slice(1)]
const without = (text: string) => (lines: string[]) => lines.filter((line) => !line.includes(text))

test('a list that nobody edited is not read again', async () => {
  const { disk, store, table } = await running()
  disk.calls.length = 0
  await store.merge(table)
  await store.compact(table)
  assert.deepEqual(table.merges, [])
  assert(!disk.calls.some((call) => call.name === 'read'))
})

test('a static entry added or taken out by hand is merged and stays so', async () => {
  const { disk, store, table } = await running()
  edit(disk, withStatic)
  edit(disk, without('127.0.0.1:3000'))
  const edited = disk.read(PATH)
  await store.merge(table)
  assert.deepEqual(
    table.entries.map((entry) => entry.json),
    [{ address: '192.0.2.1:1', note: 'mine' }],
  )
  assert.equal(table.map.size, 3)
  assert.deepEqual(disk.read(PATH), edited, 'merging alone writes nothing')
  await store.merge(table)
  assert.equal(table.merges.length, 1)
  await store.compact(table)
  await store.compact(table)
  assert.match(disk.read(PATH)!.toString(), /192\.0\.2\.1:1","note":"mine"/)
  assert.equal(table.merges.length, 1)
})

test('a registration whose line was deleted by hand goes; one that came after the snapshot stays', async () => {
  const { clock, disk, store, table } = await running()
  clock.now += 5000
  const late = record(4, { registeredAt: clock.now })
  table.apply(put(late))
  await store.append([put(late)])
  edit(disk, without('10.0.0.2/'))
  await store.compact(table)
  assert.deepEqual(sorted(table.map.values()), sorted([record(1), record(3), late]))
  assert.equal(disk.read(PATH)!.toString().includes('10.0.0.2/'), false)
  await store.close()
})

test('what a person writes says nothing about proofs, and what is expired or invalid is not taken', async () => {
  const { disk, store, table } = await running()
  const { peerId } = record(9)
  const lines = [
    `{"address":"/ip4/10.9.9.9/tcp/1/p2p/${peerId}","provedAt":"2026-11-22T11:59:00.000Z","expiresAt":"2026-11-22T14:00:00.000Z"},`,
    `{"address":"/ip4/10.9.9.8/tcp/1/p2p/${peerId}","expiresAt":"2026-11-22T11:00:00.000Z"},`,
    `{"address":"/dns4/example.org/tcp/1/p2p/${peerId}","expiresAt":"2026-11-22T14:00:00.000Z"},`,
  ]
  edit(disk, (all) => ['[', ...lines, ...all.slice(1)])
  await store.merge(table)
  const merged = table.merges[0]!.edited.records
  assert.deepEqual(
    merged.map((each) => each.provedAt),
    [0, 0, 0, 0],
  )
  assert.deepEqual(merged[0], {
    network: '',
    peerId,
    address: '/ip4/10.9.9.9/tcp/1',
    registeredAt: NOW,
    expiresAt: NOW + 2 * HOUR,
    provedAt: 0,
  })
})

test('an edit while a snapshot is being written is merged and not overwritten', async () => {
  const { disk, store, table } = await running()
  let edits = 0
  disk.fault = ({ name, path }) => {
    if (name === 'sync' && path.endsWith('.tmp') && edits < 2) {
      edits += 1
      edit(disk, (lines) => ['[', `{"address":"192.0.2.${edits}:1"},`, ...lines.slice(1)])
    }
    return undefined
  }
  await store.compact(table)
  assert.equal(table.merges.length, 2)
  const text = disk.read(PATH)!.toString()
  assert(text.includes('192.0.2.1:1') && text.includes('192.0.2.2:1') && text.includes('10.0.0.3/'))
  assert(!disk.names().some((name) => name.endsWith('.tmp')))
})

test('a list that is edited without end is given up, not overwritten', async () => {
  const { disk, store, table } = await running()
  disk.fault = ({ name, path }) => {
    if (name === 'sync' && path.endsWith('.tmp')) {
      edit(disk, withStatic)
    }
    return undefined
  }
  await assert.rejects(store.compact(table), { name: 'StoreUnavailableError', code: 'EDIT' })
  assert.match(disk.read(PATH)!.toString(), /192\.0\.2\.1:1/)
})

test('an edit that does not parse is left alone and named, changes are taken, and mending it ends the matter', async () => {
  const { disk, store, table, kill } = await running()
  const good = disk.read(PATH)!
  const bad = `${good.toString().slice(0, -2)}`
  disk.replace(PATH, bad)
  for (const attempt of [() => store.merge(table), () => store.compact(table)]) {
    await assert.rejects(attempt(), (error: Error & { code: string }) => {
      assert.equal(error.code, 'EDIT')
      assert.match(
        String(error.cause),
        /\/d\/peers\.json was edited and can't be read \(Expected .*position \d+ .*\): mend it/,
      )
      return true
    })
  }
  assert.equal(store.state.status === 'failing' && store.state.code, 'EDIT')
  await store.append([put(record(4))])
  table.apply(put(record(4)))
  assert.equal(disk.read(PATH)!.toString(), bad)

  const later = disk.copy()
  disk.replace(PATH, withStatic(good.toString().split('\n')).join('\n'))
  await store.compact(table)
  assert.deepEqual(store.state, { status: 'ok' })
  assert.equal(table.entries.length, 2)
  kill()

  // Killed instead of mended: the edit is set aside at the next start, and all else is there.
  const process = later.process()
  const next = fileStore({ path: PATH, clock: () => NOW, fs: process.fs, lock: process.lock })
  const recovered = await next.open()
  assert.deepEqual(sorted(recovered.records), sorted([1, 2, 3, 4].map((n) => record(n))))
  await next.close()
})

test('a list that was deleted while the store runs is written anew', async () => {
  const { disk, store, table } = await running()
  await disk.process().fs.unlink(PATH)
  await store.compact(table)
  assert.deepEqual(table.merges, [])
  assert.match(disk.read(PATH)!.toString(), /10\.0\.0\.3\//)
})

test('an edit before the first snapshot of a process does not cost what only the journal holds', async () => {
  const first = await running()
  first.table.apply(put(record(4)))
  await first.store.append([put(record(4))])
  first.kill()
  const process = first.disk.process()
  const store = fileStore({ path: PATH, clock: () => NOW + 1000, fs: process.fs, lock: process.lock })
  const recovered = await store.open()
  const table = testTable(recovered.records, recovered.statics)
  edit(first.disk, withStatic)
  await store.merge(table)
  assert.equal(table.map.size, 4)
  await store.close()
})
