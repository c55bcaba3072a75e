// The public function fileStore() and its options; file-store.ts is the implementation.

import { steadyClock } from '../../base/clock.ts'
import type { EditableStore, ListEdit } from '../store.ts'
import { fileStore as storeOfFiles } from './file-store.ts'

export interface FileStoreInit {
  /** The path of `peers.json`, which need not exist. The store's other files are beside it. */
  readonly path: string
  /** Take an edit made while no process had the files, however many registrations it leaves out. Default: false. */
  readonly acceptEdit?: boolean
  /** Called once for each content: an edit by hand was found at {@link Store.open} or {@link Store.compact}. */
  readonly onEdit?: (edit: ListEdit) => void
}

/** The store that `file` of `createBootstrapPeer` and `bootstrapService` makes: `peers.json` and a journal beside it. */
export function fileStore({ path, acceptEdit = false, onEdit = () => {} }: FileStoreInit): EditableStore {
  return storeOfFiles({ path, acceptEdit, onEdit, clock: steadyClock() })
}
