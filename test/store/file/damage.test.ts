import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { fileStore } from '../../../src/store/file/file-store.ts'
import type { Recovered } from '../../../src/store/store.ts'
import { cases } from '../../support/cases.ts'
import { HOUR, NOW, PEERS, put, record, remove, sorted, staticEntry, testTable } from '../fixtures.ts'
import { type FakeDisk, fakeDisk } from './fake-disk.ts'

const PATH = '/d/peers.json'
const RECORDS = Array.from({ length: 10 }, (_, n) => record(n, { network: n > 7 ? 'other' : '' }))

function open(disk: FakeDisk, now = NOW) {
  const process = disk.process()
  const store = fileStore({ path: PATH, clock: () => now, fs: process.fs, lock: process.lock })
  return { ...process, store }
}

async function recover(disk: FakeDisk, now = NOW): Promise<Recovered> {
  const { store } = open(disk, now)
  const recovered = await store.open()
  await store.close()
  return recovered
}

/** Two snapshots of ten records, then a renewal and a removal. */
async function usedDisk(): Promise<FakeDisk> {
  const disk = fakeDisk()
  const { store } = open(disk)
  await store.open()
  const table = testTable(RECORDS, [staticEntry('127.0.0.1:3000')])
  await store.append(RECORDS.map(put))
  await store.compact(table)
  await store.compact(table)
  await store.append([remove(RECORDS[0]!), put({ ...RECORDS[1]!, expiresAt: NOW + 2 * HOUR })])
  await store.close()
  return disk
}

/** Only the list is left. */
function alone(disk: FakeDisk, list: Buffer): FakeDisk {
  const single = fakeDisk()
  single.replace(PATH, list)
  assert(disk.names().length > 1)
  return single
}

function assertValid({ records }: Recovered, provedInJournal: ReadonlySet<string>): void {
  for (const each of records) {
    assert.match(each.address, /^\/ip4\/\d+\.\d+\.\d+\.\d+\/tcp\/\d+$/)
    assert(/^(12D3KooW|Qm)/.test(each.peerId))
    assert(each.network.isWellFormed() && each.network.length <= 255)
    assert(each.registeredAt <= NOW && each.expiresAt > NOW && each.expiresAt <= NOW + 72 * HOUR)
    assert(each.provedAt === 0 || provedInJournal.has(each.address))
  }
}

test('a list cut off anywhere opens: with its backup nothing is lost, alone what is set aside is kept', async () => {
  const disk = await usedDisk()
  const list = disk.read(PATH)!
  const expected = sorted((await recover(disk.copy())).records)
  for (let length = list.length - 1; length >= 0; length -= cases(3, 1)) {
    const cut = list.subarray(0, length)
    const whole = length >= list.length - 1
    const copy = disk.copy()
    copy.replace(PATH, cut)
    const recovered = await recover(copy)
    assert.deepEqual(
      sorted(recovered.records).map((each) => each.expiresAt),
      expected.map((each) => each.expiresAt),
      `${length}`,
    )
    assert.equal(recovered.trusted, !whole)
    assert.equal(recovered.warnings.length, whole ? 1 : 2)

    const single = alone(disk, cut)
    const rest = await recover(single)
    assert.equal(rest.records.length, whole ? 10 : 0)
    if (!whole) {
      assert.deepEqual(single.read(single.names().find((name) => name.includes('corrupt'))!), cut)
    }
  }
})

test('a list with any bit flipped opens, and nothing invalid or unproved is taken from it', async () => {
  const disk = await usedDisk()
  const list = disk.read(PATH)!
  const journaled = new Set([RECORDS[1]!.address])
  const inJournals = new Set(RECORDS.map((each) => each.address))
  // Every thirteenth, which is each bit of a byte in turn; all of them in the battery.
  const step = cases(13, 1)
  for (let bit = 0; bit < list.length * 8; bit += step) {
    const flipped = Buffer.from(list)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    const single = alone(disk, flipped)
    const rest = await recover(single)
    assertValid(rest, new Set())
    assert(rest.records.length >= 9 || single.names().some((name) => name.includes('corrupt')), `bit ${bit}`)
    if (step > 1 || bit % 8 === (bit >> 3) % 8) {
      const copy = disk.copy()
      copy.replace(PATH, flipped)
      const recovered = await recover(copy)
      const aside = copy.names().some((name) => name.includes('corrupt'))
      assertValid(recovered, aside ? inJournals : journaled)
      assert.equal(recovered.trusted, aside)
      if (aside) {
        assert.equal(recovered.records.length, 9, `bit ${bit}`)
      }
    }
  }
})

test('falling back to the backup loses nothing, however often the list was written', async () => {
  const disk = fakeDisk()
  const table = testTable()
  for (let round = 0; round < 6; round++) {
    const { store } = open(disk)
    const recovered = await store.open()
    assert.deepEqual(sorted(recovered.records), sorted(table.map.values()), `round ${round}`)
    for (let n = 0; n < 3; n++) {
      const changes = [put(record(round * 10 + n)), remove(record(round * 7 + n - 3))]
      changes.forEach(table.apply)
      await store.append(changes)
      await store.compact(table)
    }
    const last = put(record(100 + round))
    table.apply(last)
    await store.append([last])
    await store.close()
    disk.replace(PATH, '[{"addr')
  }
  const aside = disk.names().filter((name) => name.includes('corrupt'))
  assert.equal(aside.length, 1, 'one a moment: the clock stood still')
})

test('at most five lists are kept aside, the last ones', async () => {
  const disk = fakeDisk()
  for (let n = 0; n < 8; n++) {
    disk.replace(PATH, `broken ${n}`)
    const recovered = await recover(disk, NOW + n)
    assert.match(
      recovered.warnings[0]!,
      /peers\.json is not a list of peers \(Unexpected token 'b' in line 1\); it was set aside as .*corrupt-/,
    )
  }
  const kept = disk.names().filter((name) => name.includes('corrupt'))
  assert.deepEqual(
    kept.map((name) => disk.read(name)!.toString()),
    [3, 4, 5, 6, 7].map((n) => `broken ${n}`),
  )
})

test('a missing list is taken from the backup, and without one from the journal', async () => {
  const disk = await usedDisk()
  const expected = sorted((await recover(disk.copy())).records)
  const { fs } = disk.process()
  await fs.unlink(PATH)
  const recovered = await recover(disk.copy())
  assert.deepEqual(sorted(recovered.records), expected)
  assert.equal(recovered.trusted, true)
  assert.match(recovered.warnings[0]!, /peers\.json is missing; .*peers\.json\.bak, was taken with its journal/)
  await fs.unlink(`${PATH}.bak`)
  const last = await recover(disk)
  assert.equal(last.records.length, 1)
  assert.equal(last.warnings.length, 1)
})

test('a list that was edited while nothing ran loads, and its proofs are not believed', async () => {
  const disk = await usedDisk()
  disk.replace(PATH, disk.read(PATH)!.toString().replace('[\n', '[\n{"address":"192.0.2.1:1"},\n'))
  const recovered = await recover(disk)
  assert.equal(recovered.trusted, false)
  assert.equal(recovered.statics.length, 2)
  assert.deepEqual(
    recovered.records.filter((each) => each.provedAt > 0).map((each) => each.address),
    [RECORDS[1]!.address],
  )
  assert.match(recovered.warnings[0]!, /edited by hand, or damaged/)
})

test('a torn last line and a damaged line of the journal are dropped and reported, the lines behind are taken', async () => {
  const disk = fakeDisk()
  const { store } = open(disk)
  await store.open()
  for (const n of [1, 2, 3]) {
    await store.append([put(record(n))])
  }
  await store.close()
  const path = `${PATH}.journal-0000000001`
  const lines = disk.read(path)!.toString().split('\n')
  lines[2] = lines[2]!.replace(PEERS[2], PEERS[1])
  disk.replace(path, `${lines.join('\n')}12345678 {"put":`)
  const recovered = await recover(disk)
  assert.deepEqual(sorted(recovered.records), sorted([record(1), record(3)]))
  assert.equal(recovered.warnings.length, 2)
  assert.match(recovered.warnings[0]!, /the last 16 bytes of .*journal-0000000001/)
  assert.match(recovered.warnings[1]!, /1 lines of .*journal-0000000001/)
})

test('a journal of a newer version is not guessed at', async () => {
  const disk = fakeDisk()
  const header = '{"journal":2}'
  disk.replace(`${PATH}.journal-0000000001`, `${crc32(header).toString(16).padStart(8, '0')} ${header}\n`)
  await assert.rejects(recover(disk), /newer version/)
  assert.deepEqual(disk.names(), [`${PATH}.journal-0000000001`])
})

test('a journal that is one endless line, or zeros, does no harm', async () => {
  for (const filler of ['x', '\0', '\n']) {
    const disk = fakeDisk()
    disk.replace(`${PATH}.journal-0000000001`, filler.repeat(filler === '\n' ? 100_000 : 3_000_000))
    assert.deepEqual((await recover(disk)).records, [])
  }
})
