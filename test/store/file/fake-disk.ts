import { dirname } from 'node:path'
import type { FileStat, FileSystem, OpenFile } from '../../../src/store/file/file-system.ts'
import type { Lock } from '../../../src/store/file/lock.ts'
import { StoreLockedError } from '../../../src/store/store.ts'

export interface Call {
  readonly name: keyof FileSystem | keyof OpenFile
  readonly path: string
}

/** An error code to fail with, or a write that takes half of the bytes. */
export type Fault = string | 'short'

export interface FakeDisk {
  /** The disk as one process sees it, and the lock it takes. */
  process(): { readonly fs: FileSystem; readonly lock: (path: string) => Lock; kill(): void }
  /** Asked before each call; what it returns happens instead. */
  fault: (call: Call) => Fault | undefined
  readonly calls: Call[]
  /** All that is not on the platter is lost, but for what `random` lets by. No process may be running. */
  powerLoss(random: () => number): void
  read(path: string): Buffer | undefined
  /** As an editor does: through a second file and a rename. */
  replace(path: string, content: string | Buffer): void
  names(): string[]
  copy(): FakeDisk
}

interface Inode {
  readonly ino: bigint
  bytes: Buffer
  /** So many bytes are on the platter. */
  synced: number
  /** The bytes before a truncation that is not on the platter yet. */
  untruncated: Buffer | undefined
  /** After a failed sync the kernel forgets the dirty pages: a later sync says yes and writes nothing. */
  lost: boolean
  mode: number
  mtimeNs: bigint
}

type Names = Map<string, Inode>
type NameChange = (names: Names) => void

/** One flat directory in memory that knows what is durable and what is only written. */
export function fakeDisk(from?: { names: Names; ino: bigint }): FakeDisk {
  let names: Names = from?.names ?? new Map()
  let durable: Names = new Map(names)
  let pending: NameChange[] = []
  let nextIno = from?.ino ?? 1n
  const locked = new Set<string>()

  const disk: FakeDisk = {
    fault: () => undefined,
    calls: [],
    process,
    powerLoss(random) {
      // POSIX promises no order among changes that nobody synced.
      const survivors = pending.filter(() => random() < 0.5)
      names = new Map(durable)
      for (const change of survivors) {
        change(names)
      }
      for (const inode of new Set(names.values())) {
        if (inode.untruncated !== undefined && random() < 0.5) {
          inode.bytes = inode.untruncated
        }
        const length = inode.synced + Math.floor(random() * (inode.bytes.length - inode.synced + 1))
        const bytes = Buffer.from(inode.bytes.subarray(0, length))
        // Space that was allocated and never written reads as zeros.
        if (random() < 0.3) {
          bytes.fill(0, inode.synced + Math.floor(random() * (length - inode.synced + 1)))
        }
        Object.assign(inode, { bytes, synced: length, lost: false, untruncated: undefined })
      }
      durable = new Map(names)
      pending = []
    },
    read: (path) => names.get(path)?.bytes,
    replace(path, content) {
      const bytes = Buffer.from(content)
      const inode: Inode = { ...emptyFile(nextIno++, 0o644), bytes, synced: bytes.length, mtimeNs: nextIno }
      names.set(path, inode)
      durable.set(path, inode)
    },
    names: () => [...names.keys()].sort(),
    copy() {
      const inodes = new Map([...new Set(names.values())].map((inode) => [inode, { ...inode }]))
      return fakeDisk({ names: new Map([...names].map(([path, inode]) => [path, inodes.get(inode)!])), ino: nextIno })
    },
  }
  return disk

  function process() {
    let alive = true
    const held = new Set<string>()

    async function enter(name: Call['name'], path: string): Promise<boolean> {
      await null
      const call = { name, path }
      const fault = alive ? disk.fault(call) : undefined
      if (!alive) {
        // Killed, maybe by `fault` just now: nothing happens any more.
        await new Promise(() => {})
      }
      disk.calls.push(call)
      if (fault !== undefined && fault !== 'short') {
        throw systemError(fault, path)
      }
      return fault === 'short'
    }

    function change(apply: NameChange): void {
      apply(names)
      pending.push(apply)
    }

    function find(path: string): Inode {
      const inode = names.get(path)
      if (inode === undefined) {
        throw systemError('ENOENT', path)
      }
      return inode
    }

    const fs: FileSystem = {
      async open(path, flags, mode = 0o644) {
        await enter('open', path)
        if (flags === 'r') {
          return openFile(path, find(path))
        }
        if (names.has(path)) {
          throw systemError('EEXIST', path)
        }
        const inode = emptyFile(nextIno++, mode)
        change((all) => all.set(path, inode))
        return openFile(path, inode)
      },
      async stat(path) {
        await enter('stat', path)
        return statOf(find(path))
      },
      async readdir(path) {
        await enter('readdir', path)
        return [...names.keys()].filter((each) => dirname(each) === path).map((each) => each.slice(path.length + 1))
      },
      async rename(old, now) {
        await enter('rename', old)
        const inode = find(old)
        if (names.get(now) !== inode) {
          change((all) => all.set(now, inode).delete(old))
        }
      },
      async link(old, now) {
        await enter('link', now)
        const inode = find(old)
        if (names.has(now)) {
          throw systemError('EEXIST', now)
        }
        change((all) => all.set(now, inode))
      },
      async unlink(path) {
        await enter('unlink', path)
        find(path)
        change((all) => all.delete(path))
      },
      mkdir: async (path) => void (await enter('mkdir', path)),
      async realpath(path) {
        await enter('realpath', path)
        return path
      },
      async readlink(path) {
        await enter('readlink', path)
        throw systemError(names.has(path) ? 'EINVAL' : 'ENOENT', path)
      },
      async syncDirectory(path) {
        await enter('syncDirectory', path)
        durable = new Map(names)
        pending = []
      },
    }

    function openFile(path: string, inode: Inode): OpenFile {
      async function sync(name: 'sync' | 'datasync'): Promise<void> {
        try {
          await enter(name, path)
        } catch (error) {
          inode.lost = true
          throw error
        }
        inode.synced = inode.lost ? inode.synced : inode.bytes.length
        inode.untruncated = undefined
      }
      return {
        async read(buffer, position) {
          await enter('read', path)
          return inode.bytes.copy(buffer, 0, position)
        },
        async write(bytes) {
          let length = bytes.length
          try {
            length = (await enter('write', path)) ? Math.ceil(bytes.length / 2) : length
          } catch (error) {
            inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(0, bytes.length / 3)])
            throw error
          }
          inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(0, length)])
          inode.mtimeNs += 1n
          return length
        },
        async truncate(length) {
          await enter('truncate', path)
          inode.untruncated ??= inode.bytes
          inode.bytes = inode.bytes.subarray(0, length)
          inode.synced = Math.min(inode.synced, length)
        },
        sync: () => sync('sync'),
        datasync: () => sync('datasync'),
        async chmod(mode) {
          await enter('chmod', path)
          inode.mode = mode
        },
        async stat() {
          await enter('stat', path)
          return statOf(inode)
        },
        close: async () => void (await enter('close', path)),
      }
    }

    function lock(path: string): Lock {
      if (locked.has(path)) {
        throw new StoreLockedError(`another process has ${path}`)
      }
      locked.add(path)
      held.add(path)
      return { verify: async () => {}, release: () => void (alive && locked.delete(path)) }
    }

    function kill(): void {
      alive = false
      for (const path of held) {
        locked.delete(path)
      }
    }

    return { fs, lock, kill }
  }
}

function emptyFile(ino: bigint, mode: number): Inode {
  return { ino, bytes: Buffer.alloc(0), synced: 0, untruncated: undefined, lost: false, mode, mtimeNs: ino }
}

function statOf({ bytes, mode, mtimeNs, ino }: Inode): FileStat {
  return { isFile: true, size: bytes.length, mode, mtimeNs, ino }
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
