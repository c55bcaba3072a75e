// Registrations, and a simple table, for the tests of a store.

import { type Change, countNew, keyText, type RegistrationRecord, type StaticEntry } from '../registry/registration.ts'
import type { Contents, Table } from './store.ts'

export const NOW = Date.parse('2026-11-22T12:00:00.000Z')
export const HOUR = 3_600_000

export const PEERS = [
  '12D3KooWEPumsK2iPDXHvJYEBJTfnMBhVQJBfZ9XjMBLuo1pjjKE',
  '12D3KooWMehgxRmc1JcJics9FDQuT5KL71HSKC5WgTNL2eJEdzTZ',
  'QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ',
] as const

/** The n-th of many registrations with different addresses. */
export function record(n: number, over: Partial<RegistrationRecord> = {}): RegistrationRecord {
  return {
    network: '',
    peerId: PEERS[n % PEERS.length]!,
    address: `/ip4/10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}/tcp/4001`,
    registeredAt: NOW - HOUR,
    expiresAt: NOW + HOUR,
    provedAt: NOW - HOUR / 2,
    ...over,
  }
}

export function put(what: RegistrationRecord): Change {
  return { kind: 'put', record: what }
}

export function remove({ network, peerId, address }: RegistrationRecord): Change {
  return { kind: 'remove', key: { network, peerId, address } }
}

export function staticEntry(address: string): StaticEntry {
  return { json: { address }, registration: undefined }
}

export interface TestTable extends Table {
  readonly map: Map<string, RegistrationRecord>
  entries: StaticEntry[]
  /** What the store merged into it. */
  readonly merges: Array<{ edited: Contents; since: number }>
  apply(change: Change): void
}

/** The simplest table that keeps the contract. */
export function testTable(records: Iterable<RegistrationRecord> = [], statics: readonly StaticEntry[] = []): TestTable {
  const map = new Map(Iterator.from(records).map((each) => [keyText(each), each]))
  const table: TestTable = {
    map,
    entries: [...statics],
    merges: [],
    records: () => map.values(),
    statics: () => table.entries,
    merge(edited, since) {
      table.merges.push({ edited, since })
      const before = [map.size, table.entries] as const
      table.entries = [...edited.statics]
      const listed = new Map(edited.records.map((each) => [keyText(each), each]))
      for (const [key, each] of map) {
        if (each.registeredAt < since && !listed.has(key)) {
          map.delete(key)
        }
      }
      const left = map.size
      for (const [key, each] of listed) {
        if (!map.has(key)) {
          map.set(key, each)
        }
      }
      return {
        added: map.size - left + countNew(table.entries, before[1]),
        removed: before[0] - left + countNew(before[1], table.entries),
      }
    },
    apply(change) {
      if (change.kind === 'put') {
        map.set(keyText(change.record), change.record)
      } else {
        map.delete(keyText(change.key))
      }
    },
  }
  return table
}

export function sorted(records: Iterable<RegistrationRecord>): RegistrationRecord[] {
  return [...records].sort((a, b) => (keyText(a) < keyText(b) ? -1 : 1))
}
