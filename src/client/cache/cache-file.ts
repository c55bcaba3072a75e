// Reads and atomically replaces the file of the peer cache.

import { mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { canonicalPeerId } from '../../peer/peer-id.ts'
import { readDialable } from '../offered-peers.ts'

/** A peer that worked. */
export interface CachedPeer {
  /** base58btc. */
  readonly id: string
  /** Multiaddrs without `/p2p`: those that this node has dialled first, the last that worked before the others. */
  readonly addresses: readonly string[]
  /** How many of them it has dialled; 0 for a peer that only connected to it. A file without it says 1. */
  readonly dialled: number
  /** When a connection to it was last opened, ms since the epoch. */
  readonly workedAt: number
}

/** A bootstrap that another one named, and that answered. */
export interface CachedBootstrap {
  readonly id: string
  /** Multiaddrs with `/p2p`. */
  readonly addresses: readonly string[]
  /** PeerId of the configured bootstrap that led to it. */
  readonly origin: string
}

export interface CacheContents {
  readonly peers: readonly CachedPeer[]
  readonly bootstraps: readonly CachedBootstrap[]
}

export type CacheRead =
  | { readonly status: 'read'; readonly contents: CacheContents }
  | { readonly status: 'missing' }
  /** It was set aside under this name. */
  | { readonly status: 'corrupt'; readonly setAside: string }

/** The most peers a cache holds, and the most bytes its file may have: a peer takes under 300. */
export const MAX_CACHED_PEERS = 1000
export const MAX_CACHED_BOOTSTRAPS = 16
const MAX_CACHE_BYTES = 2 * 1024 * 1024
export const MAX_CACHED_ADDRESSES = 8

/**
 * Reads a cache. One that makes no sense is renamed to `<path>.corrupt-<now>` and starts empty; entries that make no
 * sense are left out. Rejects with the system's error when it can't be read, and leaves it where it is.
 */
export async function readCache(path: string, now: number): Promise<CacheRead> {
  let text: string
  try {
    text = await readBounded(path)
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') {
      return { status: 'missing' }
    }
    throw err
  }
  const contents = parseCache(text)
  if (contents !== undefined) {
    return { status: 'read', contents }
  }
  const setAside = `${path}.corrupt-${now}`
  await rename(path, setAside)
  return { status: 'corrupt', setAside }
}

/** Replaces a cache: all of the old one or all of the new one is there, whenever the power goes. */
export async function writeCache(path: string, { peers, bootstraps }: CacheContents): Promise<void> {
  const lines = peers.map((peer) => `    ${JSON.stringify(peer)}`).join(',\n')
  const text = `{\n  "version": 1,\n  "bootstraps": ${JSON.stringify(bootstraps)},\n  "peers": [\n${lines}\n  ]\n}\n`
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
    await file.close()
    await rename(temporary, path)
  } catch (err) {
    await file.close().catch(() => {})
    await unlink(temporary).catch(() => {})
    throw err
  }
  const directory = await open(dirname(path), 'r')
  await directory.sync().finally(() => directory.close())
}

function parseCache(text: string): CacheContents | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { version, peers, bootstraps } = (value ?? {}) as Record<string, unknown>
  if (version !== 1 || !Array.isArray(peers) || !Array.isArray(bootstraps)) {
    return undefined
  }
  return {
    peers: peers.slice(0, MAX_CACHED_PEERS).flatMap((each) => readPeer(each) ?? []),
    bootstraps: bootstraps.slice(0, MAX_CACHED_BOOTSTRAPS).flatMap((each) => readBootstrap(each) ?? []),
  }
}

function readPeer(value: unknown): CachedPeer | undefined {
  const { id, addresses, dialled = 1, workedAt } = (value ?? {}) as Record<string, unknown>
  const read = texts(addresses).flatMap((text) => readDialable(`${text}/p2p/${id}`) ?? [])
  const [first] = read
  return first === undefined || typeof workedAt !== 'number' || !(workedAt >= 0) || !isCount(dialled)
    ? undefined
    : {
        id: first.id,
        addresses: read.map(({ address }) => address.text),
        dialled: Math.min(dialled, read.length),
        workedAt,
      }
}

function readBootstrap(value: unknown): CachedBootstrap | undefined {
  // Older files call it `root`.
  const { id, addresses, root, origin = root } = (value ?? {}) as Record<string, unknown>
  const usable = texts(addresses).filter((text) => readDialable(text)?.id === id)
  const known = typeof origin === 'string' ? canonicalPeerId(origin) : undefined
  return typeof id !== 'string' || usable.length === 0 || known === undefined
    ? undefined
    : { id, addresses: usable, origin: known }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.slice(0, MAX_CACHED_ADDRESSES).filter((each) => typeof each === 'string') : []
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    // One that is too long was not written by us: it reads as no JSON.
    return size > MAX_CACHE_BYTES ? '' : await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
