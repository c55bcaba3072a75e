import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { storeContract } from '../../../src/store/contract.ts'
import { fileStore } from '../../../src/store/file/file-store.ts'
import { StoreLockedError } from '../../../src/store/store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { NOW, PEERS, put, record, staticEntry, testTable } from '../fixtures.ts'
import { fakeDisk } from './fake-disk.ts'

const root = await temporaryFolder({ after })
const clock = () => NOW

let folders = 0
async function newPath(): Promise<string> {
  const folder = join(root, String(folders++))
  await mkdir(folder)
  return join(folder, 'peers.json')
}

storeContract('file store', async () => {
  const path = await newPath()
  return () => fileStore({ path, clock })
})

test('constructing a file store touches nothing', async () => {
  const path = await newPath()
  fileStore({ path, clock })
  assert.deepEqual(await readdir(join(path, '..')), [])
})

test('peers.json is the original list with further members, one entry a line, the static ones first', async () => {
  const path = await newPath()
  const store = fileStore({ path, clock })
  await store.open()
  const never = record(1, { network: 'x', provedAt: 0 })
  await store.compact(testTable([record(0), never], [staticEntry('127.0.0.1:3000')]))
  await store.close()
  assert.equal(
    await readFile(path, 'utf8'),
    `[
{"address":"127.0.0.1:3000"},
{"address":"/ip4/10.0.0.0/tcp/4001/p2p/${PEERS[0]}","registeredAt":"2026-11-22T11:00:00.000Z","provedAt":"2026-11-22T11:30:00.000Z","expiresAt":"2026-11-22T13:00:00.000Z","writtenAt":"2026-11-22T12:00:00.000Z"},
{"address":"/ip4/10.0.0.1/tcp/4001/p2p/${PEERS[1]}","network":"x","registeredAt":"2026-11-22T11:00:00.000Z","expiresAt":"2026-11-22T13:00:00.000Z","writtenAt":"2026-11-22T12:00:00.000Z"}
]
`,
  )
  assert.equal((await stat(path)).mode & 0o777, 0o644)
})

test('entries of any length follow each other, longer than what is written at once too, and in any script', async () => {
  const path = await newPath()
  const store = fileStore({ path, clock })
  await store.open()
  const notes = [1, 400_000, 10, 90_000, 100_000, 1].map((length) => '\u20ac'.repeat(length))
  const statics = notes.map((note, i) => ({
    json: { address: `127.0.0.1:${3000 + i}`, note },
    registration: undefined,
  }))
  const records = Array.from({ length: 5000 }, (_, i) => record(i % 3, { network: `\u00e9${i}` }))
  await store.compact(testTable(records, statics))
  await store.close()
  const written: Array<{ note?: string; network?: string }> = JSON.parse(await readFile(path, 'utf8'))
  assert.deepEqual(
    written.map(({ note, network }) => note ?? network),
    [...notes, ...records.map(({ network }) => network)],
  )
})

test('an empty table is an empty array', async () => {
  const path = await newPath()
  const store = fileStore({ path, clock })
  await store.open()
  await store.compact(testTable())
  await store.close()
  assert.equal(await readFile(path, 'utf8'), '[]\n')
})

for (const text of [
  '[{"address":"127.0.0.1:3000"}]',
  '[]',
  'null',
  '\uFEFF[]',
  '[{"address":"nonsense"},"x",{"more":[1]}]',
]) {
  test(`a list that the original or a person wrote loads and is kept: ${text}`, async () => {
    const path = await newPath()
    await writeFile(path, text)
    const store = fileStore({ path, clock })
    const recovered = await store.open()
    const entries = JSON.parse(text.replace('\uFEFF', '')) ?? []
    assert.deepEqual(
      recovered.statics.map((entry) => entry.json),
      entries,
    )
    assert.deepEqual(recovered.records, [])
    assert.equal(recovered.trusted, false)
    assert.deepEqual(
      recovered.warnings,
      text.includes('nonsense')
        ? [
            `3 entries of ${path} are of no use: ` +
              'line 1 (its address is not /ip4/<IP>/tcp/<port>, /ip6/<IP>/tcp/<port> or <IP>:<port>), ' +
              'line 1 (it is not a JSON object), line 1 (it has no address)',
          ]
        : [],
    )
    await store.compact(testTable(recovered.records, recovered.statics))
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), entries)
    await store.close()
  })
}

test('the mode of peers.json stays, and so does a symbolic link to it', async () => {
  const path = await newPath()
  await writeFile(path, '[]')
  await chmod(path, 0o640)
  const link = await newPath()
  await symlink(path, link)
  const store = fileStore({ path: link, clock })
  await store.open()
  await store.compact(testTable([record(1)]))
  await store.close()
  assert.equal((await stat(path)).mode & 0o777, 0o640)
  assert.equal((await lstat(link)).isSymbolicLink(), true)
  assert.match(await readFile(path, 'utf8'), /10\.0\.0\.1/)
  assert.deepEqual(await readdir(join(link, '..')), ['peers.json'])
})

test('a symbolic link to a list that is not there yet stays one', async () => {
  const path = await newPath()
  const link = await newPath()
  await symlink(path, link)
  const store = fileStore({ path: link, clock })
  await store.open()
  await store.compact(testTable())
  await store.close()
  assert.equal((await lstat(link)).isSymbolicLink(), true)
  assert.equal(await readFile(path, 'utf8'), '[]\n')
})

test('a directory that does not exist is made', async () => {
  const path = join(await newPath(), 'a', 'b', 'peers.json')
  const store = fileStore({ path, clock })
  await store.open()
  await store.append([put(record(1))])
  await store.close()
  assert.deepEqual(await readdir(join(path, '..')), ['peers.json.journal-0000000001', 'peers.json.lock'])
})

test('a directory or a pipe in the place of the list is an error that names it', async () => {
  const path = await newPath()
  await assert.rejects(fileStore({ path: join(path, '..'), clock }).open(), /is not a file/)
  execFileSync('mkfifo', [path])
  await assert.rejects(fileStore({ path, clock }).open(), (error: Error) =>
    error.message.startsWith(`${path} is not a file`),
  )
})

test('after two snapshots the list, its backup and the journals of both are left, and nothing else', async () => {
  const path = await newPath()
  const store = fileStore({ path, clock })
  await store.open()
  for (let n = 0; n < 4; n++) {
    await store.append([put(record(n))])
    await store.compact(testTable([record(n)]))
  }
  await store.close()
  assert.deepEqual(await readdir(join(path, '..')), [
    'peers.json',
    'peers.json.bak',
    'peers.json.journal-0000000004',
    'peers.json.journal-0000000005',
    'peers.json.lock',
  ])
})

test('two stores of one process exclude each other', async () => {
  const path = await newPath()
  const first = fileStore({ path, clock })
  await first.open()
  const second = fileStore({ path, clock })
  await assert.rejects(second.open(), (error: Error) => {
    assert(error instanceof StoreLockedError)
    assert(error.message.includes(`${path}.lock`))
    return true
  })
  await second.close()
  await first.append([put(record(1))])
  await first.close()
  const third = fileStore({ path, clock })
  assert.equal((await third.open()).records.length, 1)
  await third.close()
})

test('a change is on the disk before append resolves, and changes that wait together share the flush', async () => {
  const disk = fakeDisk()
  const store = fileStore({ path: '/d/peers.json', clock, ...disk.process() })
  await store.open()
  disk.calls.length = 0
  const appended = Array.from({ length: 100 }, (_, n) =>
    store.append([put(record(n))]).then(() => assert.equal(disk.calls.at(-1)?.name, 'datasync')),
  )
  await Promise.all(appended)
  assert.deepEqual(
    disk.calls.map((call) => call.name),
    ['write', 'datasync'],
  )
  await Promise.all(
    Array.from({ length: 8000 }, (_, n) => store.append([put(record(n))]).then(() => disk.calls.at(-1)?.name)),
  ).then((names) => assert(names.every((name) => name === 'datasync')))
  assert.equal(disk.calls.length, 2 + 2 * 2, 'a batch has about 1 MiB at most')
  await store.close()
})

test('closing gives up a snapshot that is being written', async () => {
  const disk = fakeDisk()
  const store = fileStore({ path: '/d/peers.json', clock, ...disk.process() })
  await store.open()
  const table = testTable(Array.from({ length: 20_000 }, (_, n) => record(n)))
  let closed: Promise<void> | undefined
  disk.fault = ({ name, path }) => {
    if (name === 'write' && path.endsWith('.tmp')) {
      closed ??= store.close()
    }
    return undefined
  }
  await assert.rejects(store.compact(table), { name: 'StoreUnavailableError', code: 'ECLOSED' })
  await closed
  assert.deepEqual(
    disk.names().filter((name) => !name.includes('journal')),
    [],
  )
})

test('a snapshot is synced before it is marked, marked before it takes its place, and in its place before a journal goes', async () => {
  const disk = fakeDisk()
  const store = fileStore({ path: '/d/peers.json', clock, ...disk.process() })
  await store.open()
  await store.compact(testTable())
  await store.compact(testTable([record(1)]))
  disk.calls.length = 0
  await store.compact(testTable([record(2)]))
  await store.close()
  const changes = disk.calls
    .filter(({ name }) => /write|sync|rename|^link|unlink/.test(name))
    .map(({ name, path }) => `${name} ${path.replace('/d/peers.json', '').replace('-000000000', ' ') || 'list'}`)
  assert.deepEqual(changes, [
    'write .journal 4',
    'datasync .journal 4',
    'syncDirectory /d',
    'unlink .tmp',
    'write .tmp',
    'sync .tmp',
    'write .journal 4',
    'datasync .journal 4',
    'unlink .bak.tmp',
    'link .bak.tmp',
    'rename .bak.tmp',
    'unlink .bak.tmp',
    'rename .tmp',
    'syncDirectory /d',
    'unlink .journal 2',
  ])
})

test('a list as it was written comes back, whatever stands in it', async () => {
  const path = await newPath()
  const odd = [[], [[]], ['],'], null, 7, 'a,', ',', '\n', ']', {}, { address: ']\u2028,' }]
  for (const statics of [[], ...odd.map((json) => [json]), odd]) {
    const entries = statics.map((json) => ({ json, registration: undefined }))
    for (const records of [[], [record(0)], [record(0), record(1)]]) {
      const first = fileStore({ path, clock })
      await first.open()
      await first.compact(testTable(records, entries))
      await first.close()
      const second = fileStore({ path, clock })
      const recovered = await second.open()
      await second.close()
      assert.deepEqual(recovered.records, records)
      assert.deepEqual(
        recovered.statics.map(({ json }) => json),
        statics,
      )
      assert.ok(recovered.trusted)
    }
  }
})
