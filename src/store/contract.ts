// The tests that every store has to pass: `bootstrap-peer/store-contract`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { put, record, remove, sorted, staticEntry, testTable } from './contract-fixtures.ts'
import { type Store, StoreUnavailableError } from './store.ts'

/** Returns a store on the same place each time it is called, once the one before is closed. */
export type Place = () => Store

/**
 * Defines tests (`node:test`) of what every {@link Store} must do, for a store of your own as for ours. `newPlace` returns
 * an empty place each time: a new folder, a new database.
 *
 * ```ts
 * import { storeContract } from 'bootstrap-peer/store-contract'
 *
 * storeContract('my store', async () => {
 *   const folder = await mkdtemp(join(tmpdir(), 'my-store-'))
 *   return () => myStore(folder)
 * })
 * ```
 */
export function storeContract(name: string, newPlace: () => Promise<Place>): void {
  test(`${name}: a new place is empty and gives no warning`, async () => {
    const store = (await newPlace())()
    assert.deepEqual(await store.open(), { records: [], statics: [], trusted: true, warnings: [] })
    assert.deepEqual(store.state, { status: 'ok' })
    await store.close()
  })

  test(`${name}: what was appended is recovered, the last change of a key counts`, async () => {
    const place = await newPlace()
    const store = place()
    await store.open()
    const renewed = record(1, { expiresAt: record(1).expiresAt + 60_000, network: 'chain ä"\\\n' })
    await store.append([put(record(1)), put(record(2))])
    await store.append([put({ ...renewed, provedAt: 0 }), remove(record(2)), put(record(3))])
    await store.append([put(renewed), remove(record(3)), put(record(3))])
    await store.close()
    const next = place()
    const recovered = await next.open()
    assert.deepEqual(sorted(recovered.records), sorted([record(1), renewed, record(3)]))
    assert.equal(recovered.trusted, true)
    await next.close()
  })

  test(`${name}: a compacted table and the changes after it are recovered`, async () => {
    const place = await newPlace()
    const store = place()
    await store.open()
    const table = testTable(
      [record(1), record(2), record(3)],
      [staticEntry('127.0.0.1:3000'), { json: 7, registration: undefined }],
    )
    await store.append([...table.map.values()].map(put))
    await store.compact(table)
    await store.append([remove(record(1)), put(record(4))])
    await store.close()
    const next = place()
    const recovered = await next.open()
    assert.deepEqual(sorted(recovered.records), sorted([record(2), record(3), record(4)]))
    assert.deepEqual(
      recovered.statics.map((entry) => entry.json),
      [{ address: '127.0.0.1:3000' }, 7],
    )
    assert.equal(recovered.trusted, true)
    assert.deepEqual(recovered.warnings, [])
    await next.close()
  })

  test(`${name}: what is not in the table any more is forgotten by compacting`, async () => {
    const place = await newPlace()
    const store = place()
    await store.open()
    await store.append([put(record(1)), put(record(2))])
    await store.compact(testTable([record(2)]))
    await store.compact(testTable([record(2)]))
    await store.close()
    const next = place()
    assert.deepEqual((await next.open()).records, [record(2)])
    await next.close()
  })

  test(`${name}: the table may change while it is compacted`, async () => {
    const place = await newPlace()
    const store = place()
    await store.open()
    const table = testTable(Array.from({ length: 5000 }, (_, n) => record(n)))
    let compacting = true
    const compacted = store.compact(table).finally(() => {
      compacting = false
    })
    let changes = 0
    do {
      const changed = [
        put(record(10_000 + changes)),
        put(record(changes, { provedAt: 0 })),
        remove(record(2500 + changes)),
      ]
      changed.forEach(table.apply)
      await store.append(changed)
      changes += 1
    } while (compacting)
    await compacted
    await store.close()
    const next = place()
    assert.deepEqual(sorted((await next.open()).records), sorted(table.map.values()))
    await next.close()
  })

  test(`${name}: appends resolve in the order of the calls`, async () => {
    const store = (await newPlace())()
    await store.open()
    const order: number[] = []
    await Promise.all(Array.from({ length: 100 }, (_, n) => store.append([put(record(n))]).then(() => order.push(n))))
    assert.deepEqual(
      order,
      Array.from({ length: 100 }, (_, n) => n),
    )
    await store.append([])
    await store.close()
  })

  test(`${name}: nothing is taken before open and after close, and closing twice is no error`, async () => {
    const place = await newPlace()
    const store = place()
    await assert.rejects(store.append([put(record(1))]), StoreUnavailableError)
    await store.open()
    await Promise.all([store.close(), store.close()])
    await assert.rejects(store.append([put(record(1))]), StoreUnavailableError)
    await assert.rejects(store.compact(testTable()), StoreUnavailableError)
    const next = place()
    assert.deepEqual((await next.open()).records, [])
    await next.close()
  })

  test(`${name}: close waits for what was appended`, async () => {
    const place = await newPlace()
    const store = place()
    await store.open()
    const appended = store.append([put(record(1))])
    await store.close()
    await appended
    const next = place()
    assert.deepEqual((await next.open()).records, [record(1)])
    await next.close()
  })
}
