import { constants } from 'node:fs'
import { link, mkdir, open, readdir, readlink, realpath, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * What the store needs of a disk. Every operation on a file goes through here, so that a test can fail any call, cut
 * any write short, or lose what was not yet synced. Rejects with the system's error, which has a `code`.
 */
export interface FileSystem {
  /** `r` reads a file that exists; `wx` makes one that must not exist yet. */
  open(path: string, flags: 'r' | 'wx', mode?: number): Promise<OpenFile>
  stat(path: string): Promise<FileStat>
  /** The names in a directory. */
  readdir(path: string): Promise<string[]>
  rename(from: string, to: string): Promise<void>
  /** A second name for a file; the name must be free. */
  link(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** With the directories above it. No error when it exists. */
  mkdir(path: string): Promise<void>
  realpath(path: string): Promise<string>
  readlink(path: string): Promise<string>
  /** Makes created, renamed and removed names durable. */
  syncDirectory(path: string): Promise<void>
}

export interface OpenFile {
  /** Reads up to `buffer.length` bytes from `position`; 0 at the end. */
  read(buffer: Buffer, position: number): Promise<number>
  /** Writes at the end. Returns the number of bytes written, which may be fewer than asked. */
  write(bytes: Buffer): Promise<number>
  /** Cuts off what is behind `length`. It is on the disk after {@link datasync}. */
  truncate(length: number): Promise<void>
  /** The bytes, and the length they need to be read back, are on the disk. */
  datasync(): Promise<void>
  /** As {@link datasync}, with mode and times. */
  sync(): Promise<void>
  chmod(mode: number): Promise<void>
  stat(): Promise<FileStat>
  close(): Promise<void>
}

export interface FileStat {
  readonly isFile: boolean
  readonly size: number
  /** Permission bits. */
  readonly mode: number
  /** With size and inode it shows whether another process wrote the file. */
  readonly mtimeNs: bigint
  readonly ino: bigint
}

/** The disk of this machine. */
export const nodeFileSystem: FileSystem = {
  open: async (path, flags, mode = 0o644) => {
    // A pipe in the place of a file must be an error instead of a wait for its other end.
    const handle = await open(path, flags === 'r' ? constants.O_RDONLY | constants.O_NONBLOCK : flags, mode)
    return {
      read: async (buffer, position) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
      write: async (bytes) => (await handle.write(bytes)).bytesWritten,
      truncate: (length) => handle.truncate(length),
      datasync: () => handle.datasync(),
      sync: () => handle.sync(),
      chmod: (bits) => handle.chmod(bits),
      stat: async () => fileStat(await handle.stat({ bigint: true })),
      close: () => handle.close(),
    }
  },
  stat: async (path) => fileStat(await stat(path, { bigint: true })),
  readdir: (path) => readdir(path),
  rename: (from, to) => rename(from, to),
  link: (from, to) => link(from, to),
  unlink: (path) => unlink(path),
  mkdir: async (path) => {
    const first = await mkdir(path, { recursive: true })
    // A power cut loses a new directory and its contents until the directory above it is synced.
    for (let made = path; first !== undefined && made.length >= first.length; made = dirname(made)) {
      await syncDirectory(dirname(made))
    }
  },
  realpath: (path) => realpath(path),
  readlink: (path) => readlink(path),
  syncDirectory,
}

/** Writes all bytes, however few the system takes at a time. */
export async function writeAll(file: OpenFile, bytes: Buffer): Promise<void> {
  let rest = bytes
  while (rest.length > 0) {
    const written = await file.write(rest)
    if (written <= 0) {
      throw Object.assign(new Error('the system wrote no byte and gave no reason'), { code: 'EIO' })
    }
    rest = rest.subarray(written)
  }
}

/** Returns undefined when there is no such file. */
export async function statIfExists(fs: FileSystem, path: string): Promise<FileStat | undefined> {
  try {
    return await fs.stat(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      return undefined
    }
    throw error
  }
}

export async function unlinkIfExists(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.unlink(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') {
      throw error
    }
  }
}

/** The system's code of an error, such as `ENOSPC`; `UNKNOWN` when it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN'
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function fileStat(stats: { isFile(): boolean; size: bigint; mode: bigint; mtimeNs: bigint; ino: bigint }): FileStat {
  return {
    isFile: stats.isFile(),
    size: Number(stats.size),
    mode: Number(stats.mode & 0o7777n),
    mtimeNs: stats.mtimeNs,
    ino: stats.ino,
  }
}
