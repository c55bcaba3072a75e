import { keyText, type RegistrationRecord, type StaticEntry } from '../registry/registration.ts'
import { type Store, StoreUnavailableError } from './store.ts'

/**
 * Keeps everything until the process ends: for tests, and for nodes that need no disk. It can be opened again after a
 * close.
 */
export function memoryStore(): Store {
  let records = new Map<string, RegistrationRecord>()
  let statics: StaticEntry[] = []
  let isOpen = false

  function assertOpen(): void {
    if (!isOpen) {
      throw new StoreUnavailableError('ECLOSED', new Error('the store is not open'))
    }
  }

  return {
    async open() {
      isOpen = true
      return { records: [...records.values()], statics: [...statics], trusted: true, warnings: [] }
    },
    async append(changes) {
      assertOpen()
      for (const change of changes) {
        if (change.kind === 'put') {
          records.set(keyText(change.record), change.record)
        } else {
          records.delete(keyText(change.key))
        }
      }
    },
    async compact(table) {
      assertOpen()
      records = new Map(Iterator.from(table.records()).map((record) => [keyText(record), record]))
      statics = [...table.statics()]
    },
    state: { status: 'ok' },
    async close() {
      isOpen = false
    },
  }
}
