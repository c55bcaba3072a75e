// The file of the identity: read it, or create it once; never overwrite it.

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, open, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { decodeIdentity, encodeIdentity, type IdentityFormat, IdentityFormatError } from './key-formats.ts'
import { flushFolder, makePrivateFolder } from './private-folder.ts'

/** The largest file read as a key. An RSA key of 8192 bits, the most libp2p takes, is 13 KiB as peer-id.json. */
const MAX_KEY_FILE_BYTES = 64 * 1024

export interface LoadIdentityOptions {
  /** Accept a key that group or others may read, as mounted secrets often are. Default: false. */
  readonly allowLooseMode?: boolean
}

export interface CreateIdentityOptions {
  /** Default: `protobuf`. */
  readonly format?: IdentityFormat
}

export interface LoadOrCreateIdentityOptions extends LoadIdentityOptions {
  /** Called when there was no key and one was made: other nodes do not know this PeerId yet. */
  readonly onCreated?: (key: PrivateKey) => void
}

export type IdentityFault =
  | 'missing'
  | 'exists'
  | 'not_a_file'
  | 'empty'
  | 'corrupt'
  | 'unsupported'
  | 'loose_mode'
  | 'unreadable'
  | 'unwritable'

/** This file gives no identity. The message says why and how to correct it; nothing was changed. */
export class IdentityError extends Error {
  override name = 'IdentityError'
  readonly code: IdentityFault
  readonly file: string

  constructor(code: IdentityFault, file: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.file = file
  }
}

/**
 * Returns the identity in `file`; where there is no such file, a new Ed25519 one, which is stored there. Rejects with
 * an {@link IdentityError} when the file holds no good key, never with a new identity: the old PeerId is in the
 * configuration of every node of the network.
 */
export async function loadOrCreateIdentity(
  file: string,
  { onCreated, ...options }: LoadOrCreateIdentityOptions = {},
): Promise<PrivateKey> {
  try {
    return await loadIdentity(file, options)
  } catch (error) {
    if (!(error instanceof IdentityError && error.code === 'missing')) {
      throw error
    }
  }
  try {
    const key = await createIdentity(file)
    onCreated?.(key)
    return key
  } catch (error) {
    if (!(error instanceof IdentityError && error.code === 'exists')) {
      throw error
    }
    // Another process was first. Both get the same key.
    return loadIdentity(file, options)
  }
}

/** Returns the identity in `file`, in any {@link IdentityFormat}. Rejects with {@link IdentityError}. */
export async function loadIdentity(file: string, { allowLooseMode = false }: LoadIdentityOptions = {}) {
  const bytes = await readKeyFile(file, allowLooseMode)
  try {
    return await decodeIdentity(bytes)
  } catch (error) {
    if (!(error instanceof IdentityFormatError)) {
      throw error
    }
    const advice =
      error.code === 'corrupt' ? '; restore it from a backup, or move it away to start with a new PeerId' : ''
    throw new IdentityError(error.code, file, `the key ${file} is not usable: ${error.message}${advice}`)
  }
}

/** Makes a new Ed25519 identity in `file`, which must not exist. Rejects with {@link IdentityError}. */
export async function createIdentity(file: string, { format = 'protobuf' }: CreateIdentityOptions = {}) {
  const key = await generateKeyPair('Ed25519')
  try {
    await publish(resolve(file), encodeIdentity(key, format))
    return key
  } catch (error) {
    throw creationError(file, error)
  }
}

async function readKeyFile(file: string, allowLooseMode: boolean): Promise<Uint8Array> {
  // Non-blocking, so that a FIFO is refused below and not waited for.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT'
      ? new IdentityError('missing', file, `there is no key ${file}; create it: bootstrap-peer keygen --key ${file}`)
      : new IdentityError('unreadable', file, `can't read the key ${file} (${error.code}); let this user read it`)
  })
  try {
    // All checks are of the open handle: the file can't be exchanged between the check and the read.
    const { mode, size } = await checkedStat(handle, file)
    if ((mode & 0o077) !== 0 && !allowLooseMode) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0')
      throw new IdentityError(
        'loose_mode',
        file,
        `the key ${file} is open to others (mode ${shown}): chmod 600 ${file}, ` +
          'or set --allow-loose-key-mode if it is a mounted secret that can have no other mode',
      )
    }
    const bytes = Buffer.alloc(size)
    const { bytesRead } = await handle.read(bytes, 0, size, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function checkedStat(handle: FileHandle, file: string): Promise<{ mode: number; size: number }> {
  const stat = await handle.stat()
  if (!stat.isFile()) {
    const kind = stat.isDirectory() ? 'a directory' : 'not a regular file'
    throw new IdentityError(
      'not_a_file',
      file,
      `the key ${file} is ${kind}; name a file that holds a key: --key <file>`,
    )
  }
  if (stat.size === 0) {
    const advice = 'restore it from a backup, or delete it to start with a new PeerId'
    throw new IdentityError('empty', file, `the key ${file} is empty; ${advice}`)
  }
  if (stat.size > MAX_KEY_FILE_BYTES) {
    throw new IdentityError(
      'corrupt',
      file,
      `${file} is ${stat.size} bytes long, no key is; name the right file: --key`,
    )
  }
  return stat
}

/**
 * Makes the file whole or not at all, and never readable by another user: writes it beside its name with mode 0600,
 * then links it there, which fails where something exists already.
 */
async function publish(file: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(file)
  await makePrivateFolder(folder)
  const draft = join(folder, `.${basename(file)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await writeDraft(draft, bytes)
    await link(draft, file)
  } finally {
    await unlink(draft).catch(() => {})
    // Also for the process that came second: it uses a key that the first may not have flushed yet.
    await flushFolder(folder)
  }
}

async function writeDraft(draft: string, bytes: Uint8Array): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const handle = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    // A umask can only remove permissions; this process must be able to read it.
    await handle.chmod(0o600)
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function creationError(file: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === undefined) {
    return error
  }
  if (code === 'EEXIST' && syscall === 'link') {
    const advice = 'a key is never overwritten; choose another name, or move that one away'
    return new IdentityError('exists', file, `${file} exists already: ${advice}`)
  }
  const advice =
    code === 'EPERM' || code === 'ENOTSUP'
      ? 'its file system has no hard links; create it on another one and copy it there'
      : 'make its folder writable for this user, or name another: --data-dir <dir>, or --key <file> for the key alone'
  return new IdentityError('unwritable', file, `can't create the key ${file} (${code}); ${advice}`, { cause: error })
}
