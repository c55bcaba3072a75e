/** As a program that installed the package writes it: compiled against the packed `.d.ts`, and run. */
import {
  type Change,
  type Recovered,
  type RegistrationKey,
  type RegistrationRecord,
  type StaticEntry,
  type Store,
  StoreUnavailableError,
  type Table,
} from 'bootstrap-peer'
import { storeContract } from 'bootstrap-peer/store-contract'

/** What the array store keeps between two openings. */
interface Kept {
  records: RegistrationRecord[]
  statics: StaticEntry[]
}

function arrayStore(kept: Kept): Store {
  let isOpen = false
  const assertOpen = () => {
    if (!isOpen) {
      throw new StoreUnavailableError('ECLOSED', undefined)
    }
  }
  const isSame = (a: RegistrationKey, b: RegistrationKey) =>
    a.network === b.network && a.peerId === b.peerId && a.address === b.address
  return {
    state: { status: 'ok' },
    async open(): Promise<Recovered> {
      isOpen = true
      return { records: [...kept.records], statics: [...kept.statics], trusted: true, warnings: [] }
    },
    async append(changes: readonly Change[]) {
      assertOpen()
      for (const change of changes) {
        const key = change.kind === 'put' ? change.record : change.key
        kept.records = kept.records.filter((each) => !isSame(each, key))
        if (change.kind === 'put') {
          kept.records.push(change.record)
        }
      }
    },
    async compact(table: Table) {
      assertOpen()
      kept.records = [...table.records()]
      kept.statics = [...table.statics()]
    },
    async close() {
      isOpen = false
    },
  }
}

storeContract('a store of an array', async () => {
  const kept: Kept = { records: [], statics: [] }
  return () => arrayStore(kept)
})
