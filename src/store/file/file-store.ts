// The store of files: `peers.json` and a journal. Above 250 lines because each of its steps depends on which files the steps
// before have left.

import type { Clock } from '../../base/clock.ts'
import type { RegistrationRecord } from '../../registry/registration.ts'
import { type EditableStore, EditPendingError, type ListEdit, StoreUnavailableError, type Table } from '../store.ts'
import { type ChangeLog, startChangeLog } from './change-log.ts'
import { editGuard } from './edit-guard.ts'
import { errorCode, type FileSystem, nodeFileSystem, statIfExists, unlinkIfExists } from './file-system.ts'
import { pendingText, takeHandEdit } from './hand-edit.ts'
import { type Layout, layoutOf } from './layout.ts'
import { type Lock, lockFile } from './lock.ts'
import { createOutage } from './outage.ts'
import { type Recovery, recover } from './recovery.ts'
import { publishDraft, type SnapshotFile, sameFile, writeDraft } from './snapshot.ts'

export interface FileStoreInit {
  /** The path of `peers.json`, which need not exist. The store's other files are beside it. */
  readonly path: string
  readonly clock: Clock
  /** Default: the disk of this machine. */
  readonly fs?: FileSystem
  /** Takes the lock file. Default: {@link lockFile}. */
  readonly lock?: (path: string) => Lock
  /** Take an edit made while no process had the files, however many registrations it leaves out. Default: false. */
  readonly acceptEdit?: boolean
  /** Called once for each content: an edit by hand was found at {@link Store.open} or {@link Store.compact}. */
  readonly onEdit?: (edit: ListEdit) => void
}

/**
 * An operator who saves the list again and again must not keep the store from finishing a snapshot without a warning.
 */
const MAX_SNAPSHOT_STARTS = 5

/**
 * `peers.json` and a journal. A change is a line of the journal; from time to time the whole table becomes the new
 * `peers.json`. `docs/decisions/0002-store.md` says why.
 *
 * While the state is `failing` with the code `EDIT` only the operator can help: `peers.json` was edited by hand, and
 * does not parse or leaves out too much. It is left alone, and changes are still taken.
 */
export function fileStore({
  path,
  clock,
  fs = nodeFileSystem,
  lock = lockFile,
  acceptEdit = false,
  onEdit = () => {},
}: FileStoreInit): EditableStore {
  const guard = editGuard()
  const closing = new AbortController()
  const snapshots = createOutage(clock)
  let opened: Open | undefined
  /** Of the last change that was refused. */
  let refusal: unknown
  let closed: Promise<void> | undefined
  let lastTurn: Promise<unknown> = Promise.resolve()

  /** Snapshots and merges take turns. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(task)
    lastTurn = turn.catch(() => {})
    return turn
  }

  function use(): Open {
    if (opened === undefined || closed !== undefined) {
      throw new StoreUnavailableError('ECLOSED', new Error(`the store at ${path} is not open`))
    }
    return opened
  }

  return {
    open: () =>
      inTurn(async () => {
        closing.signal.throwIfAborted()
        const layout = await layoutOf(fs, path)
        const held = lock(layout.lock)
        try {
          // The caller owns the records from now on: a hundred thousand of them are not kept here too.
          const { recovered, kept, nextGeneration, ...list } = await recover(fs, layout, { now: clock(), acceptEdit })
          const log = await startChangeLog({ fs, layout, clock, generation: nextGeneration, lock: held })
          await putAll(log, kept).catch(async (error) => {
            await log.close()
            throw error
          })
          opened = { layout, lock: held, log, list: { ...list, draft: undefined, unfinishedSince: undefined } }
          if (list.pending !== undefined) {
            onEdit(list.pending.edit)
          }
          return recovered
        } catch (error) {
          held.release()
          throw error
        }
      }),
    append: async (changes) => {
      try {
        await use().log.append(changes)
      } catch (error) {
        refusal = error
        throw error
      }
    },
    compact: (table) =>
      inTurn(async () => {
        const store = use()
        const failure = store.log.refusal()
        if (failure !== undefined) {
          throw failure
        }
        try {
          await writeSnapshot(store, table)
          snapshots.over()
        } catch (error) {
          await unlinkIfExists(fs, store.layout.draft).catch(() => {})
          throw closing.signal.aborted ? new StoreUnavailableError('ECLOSED', error) : snapshots.failed(error)
        }
      }),
    merge: (table) => {
      // It may wait for a snapshot.
      const signalledAt = clock()
      return inTurn(async () => {
        try {
          return await takeEdit(use(), table, signalledAt)
        } catch (error) {
          throw error instanceof StoreUnavailableError ? error : new StoreUnavailableError(errorCode(error), error)
        }
      })
    },
    get state() {
      const state = opened?.log.state ?? snapshots.state
      return state.status === 'ok' ? snapshots.state : state
    },
    close() {
      closed ??= letGo()
      return closed
    },
  }

  async function letGo(): Promise<void> {
    closing.abort()
    await lastTurn
    try {
      await opened?.log.close()
    } finally {
      opened?.lock.release()
    }
  }

  async function writeSnapshot(store: Open, table: Table): Promise<void> {
    const { layout, log, list } = store
    for (let start = 0; start < MAX_SNAPSHOT_STARTS; start++) {
      const edit = await takeEdit(store, table)
      if (edit.outcome === 'unreadable' || edit.outcome === 'refused') {
        throw new EditPendingError(edit, `${layout.peers} ${pendingText(edit)}`)
      }
      const began = clock()
      const refusalBefore = refusal
      // After a snapshot that failed, the journal begun for it holds all that this one may miss.
      const since = list.unfinishedSince ?? (await log.rotate())
      list.unfinishedSince = since
      const file = await writeDraft(fs, layout, table, { began, signal: closing.signal })
      await log.mark({ snapshot: file.hash, since, began })
      closing.signal.throwIfAborted()
      if (refusal !== refusalBefore) {
        // The table may have had the change when it was read, and no journal says that it was given up.
        throw refusal
      }
      list.draft = { file, since, listedBefore: began }
      const published = await publishDraft(fs, layout, list.file)
      if (published !== 'edited') {
        list.backupSince = published === 'replaced' ? list.since : list.backupSince
        adoptDraft(list)
        list.unfinishedSince = undefined
        await deleteJournals(layout, Math.min(list.backupSince, since))
        return
      }
    }
    throw new StoreUnavailableError('EDIT', new Error(`${layout.peers} is being edited over and over again`))
  }

  /**
   * Merges the operator's edit of the list, where that may be done. `signalledAt`: when the operator asked for it, ms.
   */
  async function takeEdit({ layout, list, log }: Open, table: Table, signalledAt?: number): Promise<ListEdit> {
    const stat = await statIfExists(fs, layout.peers)
    if (stat !== undefined && list.draft !== undefined && sameFile(stat, list.draft.file.stat)) {
      // The last snapshot failed after it had been renamed into place, so this is no edit.
      adoptDraft(list)
    }
    const { pending } = list
    const edit = await takeHandEdit({
      fs,
      path: layout.peers,
      list,
      table,
      guard,
      keep: (records) => putAll(log, records),
      now: clock(),
      signalledAt,
    })
    const isTold = list.pending !== undefined && list.pending.file.hash === pending?.file.hash
    if (signalledAt === undefined && edit.outcome !== 'unchanged' && edit.outcome !== 'missing' && !isTold) {
      onEdit(edit)
    }
    return edit
  }

  /**
   * Deletes the journals that neither the list nor its backup needs; one that can't be deleted now goes after the next
   * snapshot.
   */
  async function deleteJournals(layout: Layout, before: number): Promise<void> {
    try {
      for (const generation of layout.journalsIn(await fs.readdir(layout.directory))) {
        if (generation < before) {
          await unlinkIfExists(fs, layout.journal(generation))
        }
      }
    } catch {
      // The snapshot is complete. A needless journal does no harm.
    }
  }
}

/** How many registrations are written at a time: some 300 kB. */
const PUTS_AT_ONCE = 1000

async function putAll(log: ChangeLog, records: readonly RegistrationRecord[]): Promise<void> {
  for (let start = 0; start < records.length; start += PUTS_AT_ONCE) {
    await log.append(records.slice(start, start + PUTS_AT_ONCE).map((record) => ({ kind: 'put', record })))
  }
}

/** The state between open and close. */
interface Open {
  readonly layout: Layout
  readonly lock: Lock
  readonly log: ChangeLog
  readonly list: ListState
}

/** Which snapshots and journals the list and its backup are. */
interface ListState extends Mutable<Pick<Recovery, 'file' | 'pending' | 'since' | 'backupSince' | 'listedBefore'>> {
  /** The snapshot that is, or may have become, the list. */
  draft: (Pick<Recovery, 'since' | 'listedBefore'> & { readonly file: SnapshotFile }) | undefined
  /** The journal that a snapshot began and that no finished snapshot has yet. */
  unfinishedSince: number | undefined
}

function adoptDraft(list: ListState): void {
  Object.assign(list, list.draft)
  list.draft = undefined
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
