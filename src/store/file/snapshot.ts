// Writes the table as `peers.json`, and finds out whether another process wrote that file.

import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { StoreUnusableError, type Table } from '../store.ts'
import { encodeRecord, encodeStatic } from './entry-codec.ts'
import { errorCode, type FileStat, type FileSystem, statIfExists, unlinkIfExists, writeAll } from './file-system.ts'
import { isoTime } from './iso-time.ts'
import type { Layout } from './layout.ts'

/** How the snapshot at `peers.json` was when it was last read or written; a difference is an edit by hand. */
export interface SnapshotFile {
  readonly stat: FileStat
  /** SHA-256, hex. */
  readonly hash: string
}

/** How many bytes are collected before they are written. */
const PIECE_BYTES = 256 * 1024
/**
 * How many characters are collected before they become bytes: longer strings would reach the slow half of the
 * collector.
 */
const TEXT_CHARACTERS = 16 * 1024
/** The longest slice of work, ms, so that a peer that asks meanwhile sees no delay. */
const MAX_SLICE_MS = 5
/** Reading the clock costs as much as an entry. */
const ENTRIES_A_LOOK = 64
/** The operator and the original program read the list too. */
const DEFAULT_MODE = 0o644

export interface DraftOptions {
  /** The time, ms; each registration says it, so that an edit of the list tells which list it is an edit of. */
  readonly began: number
  readonly signal: AbortSignal
}

/**
 * Writes the table to the draft file, synced, one entry a line. The table may change meanwhile: then this is a fuzzy
 * snapshot, and the journal since its beginning completes it.
 */
export async function writeDraft(
  fs: FileSystem,
  layout: Layout,
  table: Table,
  { began, signal }: DraftOptions,
): Promise<SnapshotFile> {
  await unlinkIfExists(fs, layout.draft)
  const mode = (await statIfExists(fs, layout.peers))?.mode ?? DEFAULT_MODE
  const file = await fs.open(layout.draft, 'wx', mode)
  try {
    const hash = createHash('sha256')
    for await (const bytes of pieces(table, isoTime(began))) {
      signal.throwIfAborted()
      hash.update(bytes)
      await writeAll(file, bytes)
    }
    await file.chmod(mode)
    await file.sync()
    return { stat: await file.stat(), hash: hash.digest('hex') }
  } finally {
    await file.close()
  }
}

/** `first` when there was no list that could become the backup; `edited` when nothing was done. */
export type Published = 'replaced' | 'first' | 'edited'

/**
 * Makes the draft the list, and the list the backup; at each point in time there is a whole list and a whole backup.
 * Does nothing when another process wrote the list since `known`.
 */
export async function publishDraft(
  fs: FileSystem,
  layout: Layout,
  known: SnapshotFile | undefined,
): Promise<Published> {
  await unlinkIfExists(fs, layout.backupDraft)
  const current = await linkIfExists(fs, layout.peers, layout.backupDraft)
  if (current !== undefined) {
    if (known === undefined || !sameFile(current, known.stat)) {
      await fs.unlink(layout.backupDraft)
      return 'edited'
    }
    await fs.rename(layout.backupDraft, layout.backup)
    // Where both names were one file already, rename does nothing, says POSIX.
    await unlinkIfExists(fs, layout.backupDraft)
  }
  await fs.rename(layout.draft, layout.peers)
  await fs.syncDirectory(layout.directory)
  return current === undefined ? 'first' : 'replaced'
}

export async function readWhole(fs: FileSystem, path: string): Promise<{ bytes: Buffer; stat: FileStat } | undefined> {
  // Checked before it is opened: opening a pipe or a device can have effects.
  if ((await statIfExists(fs, path))?.isFile === false) {
    throw new StoreUnusableError(`${path} is not a file; the list of peers must be one`)
  }
  let file: Awaited<ReturnType<FileSystem['open']>>
  try {
    file = await fs.open(path, 'r')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      return undefined
    }
    throw error
  }
  try {
    const stat = await file.stat()
    const bytes = Buffer.allocUnsafe(stat.size)
    let length = 0
    while (length < bytes.length) {
      const read = await file.read(bytes.subarray(length), length)
      if (read === 0) {
        break
      }
      length += read
    }
    return { bytes: bytes.subarray(0, length), stat }
  } finally {
    await file.close()
  }
}

export function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function sameFile(a: FileStat, b: FileStat): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino
}

/**
 * Yields the list in pieces, each valid until the next is requested: one buffer serves them all. With a million peers,
 * a string and a buffer for each made so much garbage that the collector went through the whole heap in every
 * snapshot.
 */
async function* pieces(table: Table, writtenAt: string): AsyncGenerator<Buffer> {
  const piece = new Piece()
  let text = ''
  let separator = '[\n'
  let count = 0
  let sliceStart = performance.now()
  for (const entry of encodedEntries(table, writtenAt)) {
    text += separator + entry
    separator = ',\n'
    count += 1
    if (text.length >= TEXT_CHARACTERS) {
      if (!piece.hasRoomFor(text)) {
        yield piece.take()
        sliceStart = performance.now()
      }
      piece.add(text)
      text = ''
    } else if (count % ENTRIES_A_LOOK === 0 && performance.now() - sliceStart > MAX_SLICE_MS) {
      await nextTurn()
      sliceStart = performance.now()
    }
  }
  yield piece.take()
  yield Buffer.from(count === 0 ? '[]\n' : `${text}\n]\n`)
}

class Piece {
  #bytes = Buffer.allocUnsafe(PIECE_BYTES)
  #length = 0

  hasRoomFor(text: string): boolean {
    return this.#length + text.length * MAX_BYTES_A_CHARACTER <= this.#bytes.length
  }

  /** A longer piece, such as a long entry of the operator's, gets a buffer of its size. */
  add(text: string): void {
    if (!this.hasRoomFor(text)) {
      this.#bytes = Buffer.allocUnsafe(text.length * MAX_BYTES_A_CHARACTER)
    }
    this.#length += this.#bytes.write(text, this.#length)
  }

  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#length = 0
    return taken
  }
}

/** Of UTF-16 in UTF-8. */
const MAX_BYTES_A_CHARACTER = 3

/** The operator's own first, where a person who opens the file sees them. */
function* encodedEntries(table: Table, writtenAt: string): Generator<string> {
  for (const entry of table.statics()) {
    yield encodeStatic(entry)
  }
  for (const record of table.records()) {
    yield encodeRecord(record, writtenAt)
  }
}

async function linkIfExists(fs: FileSystem, from: string, to: string): Promise<FileStat | undefined> {
  try {
    await fs.link(from, to)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      return undefined
    }
    throw error
  }
  return fs.stat(to)
}
