// Keeps a second process from the files of a store.

import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { StoreLockedError, StoreUnavailableError, StoreUnusableError } from '../store.ts'
import { errorCode } from './file-system.ts'

export interface Lock {
  /**
   * Resolves when no other process can have taken the files until now. Takes a lock file that was deleted anew. Rejects with {@link
   * StoreUnavailableError}, code `ELOCKED`, when another process has been there: then nothing may be written any more.
   */
  verify(): Promise<void>
  /** Idempotent. */
  release(): void
}

/** SQLITE_BUSY: another connection has the lock. */
const BUSY = 5

/**
 * Locks a file for this process, or throws {@link StoreLockedError}.
 *
 * The kernel keeps the lock, so it is gone when the process is, however it ended: a pid in a file would name another
 * process after a restart of the container. Node has no call for fcntl locks; SQLite, which it contains, has taken
 * them on every system for 20 years. The database stays empty (0 bytes) and no second file appears.
 *
 * Nothing else may open the file: by POSIX, closing any descriptor of it drops the lock of the whole process. A file that is
 * deleted stays locked without its name, and another process can lock a new one of that name: hence {@link Lock.verify}.
 */
export function lockFile(path: string): Lock {
  let database = lockedDatabase(path)
  let inode = statSync(path, { bigint: true }).ino
  let lost: StoreUnavailableError | undefined

  /** Without a wait, so that of two calls only one takes it. */
  function takeAnew(): void {
    if (inodeIfExists(path) === undefined) {
      try {
        const next = lockedDatabase(path)
        database.close()
        database = next
        inode = statSync(path, { bigint: true }).ino
      } catch (error) {
        if (!(error instanceof StoreLockedError)) {
          throw error
        }
      }
    }
  }

  return {
    async verify() {
      if (lost !== undefined) {
        throw lost
      }
      const found = await stat(path, { bigint: true }).catch(undefinedIfMissing)
      if (found === undefined) {
        takeAnew()
      }
      if ((found?.ino ?? inodeIfExists(path)) !== inode) {
        const reason = `${path} was deleted while this process had it, and another process made it anew`
        lost = new StoreUnavailableError('ELOCKED', new Error(reason))
        throw lost
      }
    },
    release() {
      if (database.isOpen) {
        database.close()
      }
    },
  }
}

function lockedDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    // By default SQLite would put a rollback journal beside it.
    database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database?.close()
    if (sqliteCode(error) === BUSY) {
      throw new StoreLockedError(
        `another process has ${path}: one node is already running on these files. Stop it, or give this one files of its own`,
      )
    }
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreUnusableError(
      `can't lock ${path}: ${reason}. It must be an empty file in a directory that can be written to`,
      {
        cause: error,
      },
    )
  }
}

function inodeIfExists(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino
}

function undefinedIfMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') {
    throw error
  }
}

function sqliteCode(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error ? error.errcode : undefined
}
