// Keeps a second process from the files of a store.

import { DatabaseSync } from 'node:sqlite'
import { StoreLockedError, StoreUnusableError } from '../store.ts'

export interface Lock {
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
 * Nothing else may open the file: by POSIX, closing any descriptor of it drops the lock of the whole process.
 */
export function lockFile(path: string): Lock {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    // By default SQLite would put a rollback journal beside it.
    database.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE')
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
  const held = database
  return {
    release() {
      if (held.isOpen) {
        held.close()
      }
    },
  }
}

function sqliteCode(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error ? error.errcode : undefined
}
