import { crc32 } from 'node:zlib'
import type { Change, RegistrationKey, RegistrationRecord } from '../../registry/registration.ts'
import { StoreUnusableError } from '../store.ts'
import { decodeKey, decodeRecord, encodeRecord, isObject } from './entry-codec.ts'
import { type FileSystem, unlinkIfExists, writeAll } from './file-system.ts'

/**
 * A journal is a file that lines are appended to until a write fails. A line is the CRC-32 of its text as 8 hex digits, a
 * space, and the text, a JSON object: the header, a put, a remove, or a mark that a snapshot is complete.
 */
export interface Journal {
  readonly generation: number
  /** Bytes known to be on the disk. */
  readonly length: number
  /** Resolves when the lines are on the disk. After a rejection the file is not to be written to again. */
  write(lines: string): Promise<void>
  /** Cuts off what a failed write left behind {@link length}. Resolves when that is on the disk. */
  cutOff(): Promise<void>
  close(): Promise<void>
}

/** A journal that failed counts up to this length. What is behind it was answered with an error and must not come back. */
export interface Cut {
  readonly generation: number
  readonly length: number
}

/** A snapshot of this hash (SHA-256, hex) is complete, and with the journals from `since` on it is the whole table. */
export interface SnapshotMark {
  readonly snapshot: string
  readonly since: number
  /** When it was begun, ms: what was registered before that is in it. Undefined where an older version wrote it. */
  readonly began?: number | undefined
}

export type JournalEntry =
  | { readonly kind: 'header'; readonly cut: Cut | undefined }
  | { readonly kind: 'snapshot'; readonly mark: SnapshotMark }
  | { readonly kind: 'put'; readonly record: RegistrationRecord }
  | { readonly kind: 'remove'; readonly key: RegistrationKey }

const FORMAT = 1
const CHUNK_BYTES = 1 << 20
/** Longer than any line that is written: 8 KiB would do. A file without line breaks must not fill the memory. */
const MAX_LINE_BYTES = 64 * 1024
const LINE_BREAK = 10
/** The CRC and its space. */
const PREFIX_BYTES = 9

/** Makes the journal's file, which must not exist, with its header. Resolves when both are on the disk. */
export async function createJournal(
  fs: FileSystem,
  path: string,
  directory: string,
  generation: number,
  cut: Cut | undefined,
): Promise<Journal> {
  const file = await fs.open(path, 'wx')
  let length = 0
  const journal: Journal = {
    generation,
    get length() {
      return length
    },
    async write(lines) {
      const bytes = Buffer.from(lines)
      await writeAll(file, bytes)
      await file.datasync()
      length += bytes.length
    },
    async cutOff() {
      await file.truncate(length)
      await file.datasync()
    },
    close: () => file.close(),
  }
  try {
    await journal.write(encodeLine(JSON.stringify({ journal: FORMAT, generation, cut })))
    await fs.syncDirectory(directory)
    return journal
  } catch (error) {
    await file.close().catch(() => {})
    // What is left of it does no harm: it holds no change.
    await unlinkIfExists(fs, path).catch(() => {})
    throw error
  }
}

export function encodeChange(change: Change): string {
  if (change.kind === 'put') {
    return encodeLine(`{"put":${encodeRecord(change.record)}}`)
  }
  const { network, peerId, address } = change.key
  return encodeLine(`{"remove":${JSON.stringify({ network: network === '' ? undefined : network, peerId, address })}}`)
}

export function encodeMark(mark: SnapshotMark): string {
  return encodeLine(JSON.stringify(mark))
}

export interface ReadOptions {
  /** Bytes behind this are not read. */
  readonly end: number
  /** Leave the puts and removes out, which are the bulk of it. */
  readonly onlyMarks: boolean
  readonly now: number
}

/** The parts of a journal that cannot be used. */
export interface Losses {
  /** Bytes of a last line that was never finished. */
  readonly torn: number
  /** Lines that are not what was written. */
  readonly damaged: number
}

/** Reads a journal from its beginning. Throws when a newer version of this program wrote it. */
export async function readJournal(
  fs: FileSystem,
  path: string,
  { end, onlyMarks, now }: ReadOptions,
  visit: (entry: JournalEntry) => void,
): Promise<Losses> {
  let damaged = 0
  const file = await fs.open(path, 'r')
  try {
    if (!(await file.stat()).isFile) {
      throw new StoreUnusableError(`${path} is not a file, and has the name of a journal: move it away`)
    }
    if (!onlyMarks) {
      // A process killed before its flush leaves lines that are only in memory. A client that is answered because of
      // them must not lose them to a power cut.
      await file.datasync()
    }
    const torn = await readLines(file, end, (line) => {
      const text = checkedText(line)
      if (text === undefined) {
        damaged += 1
      } else if (!onlyMarks || !isChange(line)) {
        const entry = decodeEntry(text, now, path)
        if (entry === undefined) {
          damaged += 1
        } else {
          visit(entry)
        }
      }
    })
    return { torn, damaged }
  } finally {
    await file.close()
  }
}

/** Calls back with each line, without its line break; returns how many bytes stood behind the last line break. */
async function readLines(
  file: { read(buffer: Buffer, position: number): Promise<number> },
  end: number,
  onLine: (line: Buffer) => void,
): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  let position = 0
  let lineStart = 0
  let carry: Buffer = Buffer.alloc(0)
  while (position < end) {
    const read = await file.read(chunk.subarray(0, Math.min(CHUNK_BYTES, end - position)), position)
    if (read === 0) {
      break
    }
    const bytes = chunk.subarray(0, read)
    let start = 0
    for (let stop = bytes.indexOf(LINE_BREAK); stop >= 0; stop = bytes.indexOf(LINE_BREAK, start)) {
      const piece = bytes.subarray(start, stop)
      onLine(carry.length === 0 ? piece : Buffer.concat([carry, piece]))
      carry = Buffer.alloc(0)
      start = stop + 1
      lineStart = position + start
    }
    const rest = Math.min(bytes.length - start, MAX_LINE_BYTES - carry.length)
    if (rest > 0) {
      carry = Buffer.concat([carry, bytes.subarray(start, start + rest)])
    }
    position += read
  }
  return position - lineStart
}

function encodeLine(text: string): string {
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`
}

function checkedText(line: Buffer): string | undefined {
  const text = line.subarray(PREFIX_BYTES)
  const expected = crc32(text).toString(16).padStart(8, '0')
  return line.toString('latin1', 0, PREFIX_BYTES) === `${expected} ` ? text.toString() : undefined
}

/** `{"put":` and `{"remove":`: the letter is enough, the CRC was right. */
function isChange(line: Buffer): boolean {
  const letter = line[PREFIX_BYTES + 2]
  return letter === PUT || letter === REMOVE
}
const PUT = 'p'.charCodeAt(0)
const REMOVE = 'r'.charCodeAt(0)

function decodeEntry(text: string, now: number, path: string): JournalEntry | undefined {
  const json = parseObject(text)
  if (json === undefined) {
    return undefined
  }
  const { journal, cut, snapshot, since, began, put, remove } = json
  if (journal !== undefined) {
    if (journal !== FORMAT) {
      throw new StoreUnusableError(`${path} was written by a newer version of this program; start that version`)
    }
    return { kind: 'header', cut: decodeCut(cut) }
  }
  if (typeof snapshot === 'string' && typeof since === 'number') {
    return { kind: 'snapshot', mark: { snapshot, since, began: typeof began === 'number' ? began : undefined } }
  }
  if (isObject(put)) {
    const record = decodeRecord(put, now, true)
    return record && { kind: 'put', record }
  }
  const key = decodeKey(remove)
  return key && { kind: 'remove', key }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return isObject(json) ? json : undefined
  } catch {
    return undefined
  }
}

function decodeCut(json: unknown): Cut | undefined {
  return isObject(json) && typeof json.generation === 'number' && typeof json.length === 'number'
    ? { generation: json.generation, length: json.length }
    : undefined
}
