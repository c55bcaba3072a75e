import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyText, type RegistrationRecord } from '../../../src/registry/registration.ts'
import { fileStore } from '../../../src/store/file/file-store.ts'
import type { ListEdit } from '../../../src/store/store.ts'
import { HOUR, NOW, put, record, remove, sorted, staticEntry, testTable } from '../fixtures.ts'
import { type FakeDisk, fakeDisk } from './fake-disk.ts'

const PATH = '/d/peers.json'

/** A store that runs, with three registrations, or as many as asked, and a static entry in its list. */
async function running({ disk = fakeDisk(), registrations = 3 } = {}) {
  const clock = { now: NOW }
  const process = disk.process()
  const edits: ListEdit[] = []
  const onEdit = (edit: ListEdit) => edits.push(edit)
  const store = fileStore({ path: PATH, clock: () => clock.now, fs: process.fs, lock: process.lock, onEdit })
  await store.open()
  const records = Array.from({ length: registrations }, (_, n) => record(n + 1))
  const table = testTable(records, [staticEntry('127.0.0.1:3000')])
  await store.append(records.map(put))
  await store.compact(table)
  return { disk, clock, store, table, edits, kill: process.kill }
}

/** The list as it is when the store is opened anew. */
async function reopen(disk: FakeDisk, options: { acceptEdit?: boolean; now?: number } = {}) {
  const { now = NOW, ...init } = options
  const process = disk.process()
  const clock = { now }
  const edits: ListEdit[] = []
  const onEdit = (edit: ListEdit) => edits.push(edit)
  const store = fileStore({ path: PATH, clock: () => clock.now, fs: process.fs, lock: process.lock, onEdit, ...init })
  const recovered = await store.open()
  return { store, recovered, edits, clock, table: testTable(recovered.records, recovered.statics), kill: process.kill }
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

test('what was registered since the operator opened the list stays, however many snapshots came between', async () => {
  const { clock, disk, store, table } = await running()
  const opened = disk.read(PATH)!
  for (const n of [4, 5, 6]) {
    clock.now += 2000
    const late = record(n, { registeredAt: clock.now })
    table.apply(put(late))
    await store.append([put(late)])
    clock.now += 1
    await store.compact(table)
  }
  const expected = sorted(Iterator.from(table.map.values()).filter(({ address }) => !address.includes('10.0.0.2/')))
  disk.replace(PATH, without('10.0.0.2/')(opened.toString().split('\n')).join('\n'))

  // Killed before it has read the edit.
  const { recovered, store: next, kill } = await reopen(disk.copy(), { now: clock.now })
  assert.deepEqual(withoutProofs(recovered.records), withoutProofs(expected))
  await next.compact(testTable(recovered.records, recovered.statics))
  kill()

  const edit = await store.merge(table)
  assert(edit.outcome === 'taken')
  assert.deepEqual({ removed: edit.removed, kept: edit.kept }, { removed: 1, kept: 3 })
  assert.deepEqual(sorted(table.map.values()), expected)
  // Killed after it has, and what it merged is all that is left of it.
  await store.append([remove(record(2))])
  const after = disk.copy()
  after.process().fs.unlink(`${PATH}.bak`)
  assert.deepEqual(withoutProofs((await reopen(after, { now: clock.now })).recovered.records), withoutProofs(expected))
})

test('the oldest line says what an edit is based on: lines of a newer list that are pasted in delete nothing', async () => {
  const { clock, disk, store, table } = await running()
  const opened = disk.read(PATH)!.toString().split('\n')
  clock.now += 2000
  const late = [4, 5].map((n) => record(n, { registeredAt: clock.now }))
  late.map(put).forEach(table.apply)
  clock.now += 1
  await store.compact(table)
  const pasted = disk
    .read(PATH)!
    .toString()
    .split('\n')
    .find((line) => line.includes('10.0.0.5/'))!
  disk.replace(PATH, ['[', `${pasted.replace(/,$/, '')},`, ...opened.slice(1)].join('\n'))
  const edit = await store.merge(table)
  assert.deepEqual(edit.outcome === 'taken' && [edit.removed, edit.kept], [0, 1])
})

test('an edit without a line of the list deletes nothing, unless it is confirmed', async () => {
  const { disk, store, table } = await running()
  disk.replace(PATH, '[{"address":"192.0.2.1:1"}]')
  const edit = await store.merge(table)
  assert.deepEqual(edit.outcome === 'taken' && [edit.added, edit.removed, edit.kept], [1, 1, 3])
  assert.equal(table.map.size, 3)

  const stopped = await running()
  for (let n = 0; n < 3; n++) {
    await stopped.store.compact(stopped.table)
  }
  stopped.kill()
  stopped.disk.replace(PATH, '[]')
  assert.equal((await reopen(stopped.disk.copy())).recovered.records.length, 3)
  assert.equal((await reopen(stopped.disk.copy(), { acceptEdit: true })).recovered.records.length, 0)
})

test('a line that has expired since the operator opened the list is no deletion of what was renewed meanwhile', async () => {
  const { clock, disk, store, table } = await running()
  const opened = disk.read(PATH)!
  const renewed = record(2, { expiresAt: NOW + 3 * HOUR })
  table.apply(put(renewed))
  await store.append([put(renewed)])
  for (let n = 0; n < 3; n++) {
    clock.now += HOUR / 2
    await store.compact(table)
  }
  disk.replace(PATH, `${opened}\n`)
  const { recovered } = await reopen(disk.copy(), { now: clock.now })
  assert.deepEqual(withoutProofs(recovered.records), withoutProofs([renewed]))
  const edit = await store.merge(table)
  assert.deepEqual(edit.outcome === 'taken' && [edit.added, edit.expired, edit.kept], [0, 2, 0])
  assert.deepEqual(table.map.get(keyText(renewed)), renewed)
})

function withoutProofs(records: Iterable<RegistrationRecord>): RegistrationRecord[] {
  return sorted(records).map((each) => ({ ...each, provedAt: 0 }))
}

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
  const edit = await store.merge(table)
  assert(edit.outcome === 'unreadable')
  assert.match(edit.reason, /Expected .*position \d+ .*line \d+/)
  await assert.rejects(store.compact(table), (error: Error & { code: string }) => {
    assert.equal(error.code, 'EDIT')
    assert.match(String(error.cause), /\/d\/peers\.json was edited and can't be read \(Expected .*\): correct it/)
    return true
  })
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

test('an edit that may not be read is left alone and named, and is taken once it may be', async () => {
  const { disk, store, table, edits } = await running()
  edit(disk, withStatic)
  disk.fault = ({ name, path }) => (name === 'open' && path === PATH ? 'EACCES' : undefined)
  const unreadable = { outcome: 'unreadable', reason: 'this user may not read it (EACCES)' }
  assert.deepEqual(await store.merge(table), unreadable)
  await assert.rejects(store.compact(table), { code: 'EDIT' })
  disk.fault = () => undefined
  await store.compact(table)
  assert.deepEqual(
    edits.map(({ outcome }) => outcome),
    ['taken'],
    'who asked was told',
  )
  assert.deepEqual(store.state, { status: 'ok' })
  assert.equal(table.entries.length, 2)
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
  const late = record(4, { registeredAt: NOW + 500 })
  first.table.apply(put(late))
  await first.store.append([put(late)])
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

test('what an edit came to is told: who asks hears it, and what a snapshot finds is told once', async () => {
  const { disk, store, table, edits } = await running()
  assert.deepEqual(await store.merge(table), { outcome: 'unchanged' })
  edit(disk, (lines) => ['[', '{"address":"192.0.2.1:1"},', '{"address":"192.0.2.1:x"},', ...lines.slice(1)])
  edit(disk, without('10.0.0.2/'))
  edit(disk, without('127.0.0.1:3000'))
  const taken = await store.merge(table)
  assert(taken.outcome === 'taken')
  const { added, removed, expired, useless } = taken
  assert.deepEqual({ added, removed, expired }, { added: 2, removed: 2, expired: 0 })
  assert.deepEqual(
    useless.named.map(({ line }) => line),
    [3],
  )
  assert.deepEqual(edits, [], 'who asked was told')

  edit(disk, without('10.0.0.1/'))
  await store.compact(table)
  await store.compact(table)
  const found = {
    outcome: 'taken',
    added: 0,
    removed: 1,
    expired: 0,
    kept: 0,
    useless: { count: 1, named: useless.named },
  }
  assert.deepEqual(edits, [found])
  await disk.process().fs.unlink(PATH)
  assert.deepEqual(await store.merge(table), { outcome: 'missing' })
})

const EMPTY = '[]\n'

test('an edit that leaves out most of 20 registrations is left alone until it is signalled twice', async () => {
  const { disk, clock, store, table, edits } = await running({ registrations: 20 })
  disk.replace(PATH, EMPTY)
  const refused = { outcome: 'refused', dropped: 20, of: 20 }
  for (let n = 0; n < 2; n++) {
    await assert.rejects(store.compact(table), { name: 'EditPendingError', code: 'EDIT' })
  }
  assert.deepEqual(edits, [{ ...refused, confirmIn: undefined }], 'told once')
  assert.equal(store.state.status === 'failing' && store.state.code, 'EDIT')
  assert.deepEqual(await store.merge(table), { ...refused, confirmIn: 5000 })
  clock.now += 1000
  assert.deepEqual(await store.merge(table), { ...refused, confirmIn: 4000 })
  assert.deepEqual(table.merges, [])
  assert.equal(table.entries.length, 1, 'nor are the static entries changed')

  const late = record(50, { registeredAt: clock.now })
  table.apply(put(late))
  await store.append([put(late)])
  assert.equal(disk.read(PATH)!.toString(), EMPTY, 'it is not overwritten')

  clock.now += 4000
  const taken = await store.merge(table)
  assert.equal(taken.outcome === 'taken' && taken.removed, 21, '20 registrations and the entry')
  assert.deepEqual([...table.map.values()], [late], 'who came after the list was written stays')
  await store.compact(table)
  assert.deepEqual(store.state, { status: 'ok' })
})

test('a signal that waits for a snapshot counts from when it came', async () => {
  const { disk, clock, store, table } = await running({ registrations: 20 })
  disk.replace(PATH, EMPTY)
  await store.merge(table)
  disk.fault = ({ name, path }) => {
    if (name === 'sync' && path.endsWith('.tmp')) {
      clock.now += 10_000
    }
    return undefined
  }
  edit(disk, () => ['[', ']'])
  await store.merge(table)
  const first = store.merge(table)
  clock.now += 5000
  const second = store.merge(table)
  assert.equal((await first).outcome, 'refused')
  assert.equal((await second).outcome, 'taken')
})

for (const [what, restore] of [
  ['put back', (disk: FakeDisk, good: Buffer) => disk.replace(PATH, good)],
  ['deleted', (disk: FakeDisk) => void disk.process().fs.unlink(PATH)],
] as const) {
  test(`a list that was refused and is ${what} ends the matter, and nothing went`, async () => {
    const { disk, clock, store, table } = await running({ registrations: 20 })
    const good = disk.read(PATH)!
    disk.replace(PATH, EMPTY)
    await store.merge(table)
    restore(disk, good)
    assert.equal((await store.merge(table)).outcome, what === 'deleted' ? 'missing' : 'unchanged')
    await store.compact(table)
    assert.deepEqual(store.state, { status: 'ok' })
    assert.equal(table.map.size, 20)
    assert.equal(JSON.parse(disk.read(PATH)!.toString()).length, 21)

    clock.now += 6000
    disk.replace(PATH, EMPTY)
    assert.equal((await store.merge(table)).outcome, 'refused', 'what was signalled before is forgotten')
  })
}

/** 20 registrations that are in the list and its backup, and in no journal; one more is in the journal alone. */
async function settled() {
  const { disk, store, table, kill } = await running({ registrations: 20 })
  for (let n = 0; n < 3; n++) {
    await store.compact(table)
  }
  const late = record(50, { registeredAt: NOW })
  await store.append([put(late)])
  table.apply(put(late))
  kill()
  return { disk, expected: sorted(table.map.values()) }
}

test('an edit made while nothing ran that leaves out most is left alone at start, and can be confirmed then', async () => {
  const { disk, expected } = await settled()
  disk.replace(PATH, '[{"address":"192.0.2.1:1"}]')
  const { store, recovered, edits, clock, table } = await reopen(disk, { now: NOW + 1000 })
  assert.deepEqual(sorted(recovered.records), expected, 'as they were, with their proofs')
  assert.equal(recovered.trusted, true)
  assert.deepEqual(
    recovered.statics.map(({ json }) => json),
    [{ address: '127.0.0.1:3000' }],
  )
  assert.deepEqual(recovered.warnings, [])
  assert.deepEqual(edits, [{ outcome: 'refused', dropped: 20, of: 21, confirmIn: undefined }])
  await assert.rejects(store.compact(table), { code: 'EDIT' })
  assert.equal(edits.length, 1)
  assert.match(disk.read(PATH)!.toString(), /192\.0\.2\.1:1/)

  assert.deepEqual(await store.merge(table), { outcome: 'refused', dropped: 20, of: 21, confirmIn: 5000 })
  clock.now += 5000
  const taken = await store.merge(table)
  assert.deepEqual(taken.outcome === 'taken' && [taken.added, taken.removed], [1, 21])
  assert.deepEqual(
    [...table.map.values()].map(({ address }) => address),
    [record(50).address],
  )
  await store.compact(table)
  await store.close()
})

test('an edit made while nothing ran that leaves out most is taken where the operator says so', async () => {
  const { disk } = await settled()
  disk.replace(PATH, '[{"address":"192.0.2.1:1"}]')
  const { store, recovered, edits, table } = await reopen(disk, { acceptEdit: true })
  assert.deepEqual(
    recovered.records.map(({ address }) => address),
    [record(50).address],
    'what was answered after the snapshot was not in the list, so it was not deleted',
  )
  assert.deepEqual(edits, [])
  assert.match(recovered.warnings[0]!, /edited by hand, or damaged\): 0 registrations came in, 20 went, and its peers/)
  await store.compact(table)
  await store.close()
})

test('a list that was refused at start stays so however often the store is opened, and what is answered meanwhile too', async () => {
  const { disk, expected } = await settled()
  disk.replace(PATH, EMPTY)
  const all = [...expected]
  for (let n = 0; n < 3; n++) {
    const { store, recovered, edits, table, kill } = await reopen(disk)
    assert.deepEqual(sorted(recovered.records), sorted(all))
    assert.equal(edits[0]?.outcome, 'refused')
    const more = record(60 + n, { registeredAt: NOW })
    await store.append([put(more)])
    table.apply(put(more))
    all.push(more)
    await assert.rejects(store.compact(table), { code: 'EDIT' })
    kill()
  }
  assert.equal(disk.read(PATH)!.toString(), EMPTY)
})

test('an edit made while nothing ran that leaves out half is taken, and counted', async () => {
  const { disk } = await settled()
  const lines = disk.read(PATH)!.toString().split('\n')
  const left = lines.filter((line) => !/10\.0\.0\.([1-9]|10)\//.test(line))
  disk.replace(PATH, left.join('\n'))
  const { recovered, edits } = await reopen(disk)
  assert.equal(recovered.records.length, 11)
  assert.deepEqual(edits, [])
  assert.match(recovered.warnings[0]!, /0 registrations came in, 10 went, and/)
})
