import { ipOf } from '../../peer/address.ts'
import { networkGroupOf, scopeOf } from '../../peer/ip.ts'
import type { OfferedAddress } from '../offered-peers.ts'
import type { Scheduler } from '../scheduler.ts'
import {
  type CachedBootstrap,
  type CachedPeer,
  MAX_CACHED_BOOTSTRAPS,
  MAX_CACHED_PEERS,
  readCache,
  writeCache,
} from './cache-file.ts'

/** Changes that come within this time are written together, ms. */
const WRITE_DELAY_MS = 2000
const MAX_ADDRESSES = 8
/** Peers known only by their own connection to this node: the most at one public IP, and in one network group. */
const MAX_INBOUND_PER_IP = 4
const MAX_INBOUND_PER_GROUP = 16

export interface PeerCacheInit {
  /** The file; undefined remembers for as long as the process runs. */
  readonly path: string | undefined
  readonly scheduler: Scheduler
  /** Something a person may want to know, in one line. */
  readonly onNotice: (message: string) => void
}

/** The peers that worked, and the bootstraps that were met on the way. Survives restarts; never throws. */
export class PeerCache {
  readonly #init: PeerCacheInit
  /** The one that worked last is last. */
  readonly #peers = new Map<string, CachedPeer>()
  readonly #bootstraps = new Map<string, CachedBootstrap>()
  #cancelWrite: (() => void) | undefined
  #writing: Promise<void> = Promise.resolve()
  #unreadable = false

  constructor(init: PeerCacheInit) {
    this.#init = init
  }

  /** Reads the file. Call it once, before anything else. */
  async open(): Promise<void> {
    const { path, scheduler, onNotice } = this.#init
    if (path === undefined) {
      return
    }
    try {
      const read = await readCache(path, scheduler.now())
      if (read.status === 'corrupt') {
        onNotice(`the cache ${path} was not readable; it is set aside as ${read.setAside}, and a new one is begun`)
      } else if (read.status === 'read') {
        for (const peer of read.contents.peers.toSorted((a, b) => a.workedAt - b.workedAt)) {
          this.#peers.set(peer.id, peer)
        }
        for (const bootstrap of read.contents.bootstraps) {
          this.#bootstraps.set(bootstrap.id, bootstrap)
        }
      }
    } catch (err) {
      // Whatever it holds may be worth more than what this run learns.
      this.#unreadable = true
      onNotice(`the cache ${path} can't be read (${text(err)}); this run remembers nothing`)
    }
  }

  /** The one that worked last is first. */
  get peers(): CachedPeer[] {
    return [...this.#peers.values()].reverse()
  }

  get bootstraps(): CachedBootstrap[] {
    return [...this.#bootstraps.values()]
  }

  /** There is a connection to a peer that is, or is said to be, at these multiaddrs without `/p2p`. */
  worked(id: string, at: readonly string[]): void {
    const known = this.#peers.get(id)?.addresses ?? []
    const addresses = [...new Set([...at, ...known])].slice(0, MAX_ADDRESSES)
    this.#peers.delete(id)
    this.#peers.set(id, { id, addresses, workedAt: this.#init.scheduler.now() })
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= MAX_CACHED_PEERS) {
        break
      }
      this.#peers.delete(oldest)
    }
    this.#changed()
  }

  /**
   * A peer connected to this node and says where it listens. It takes no place of another: it is left out when the
   * cache is full, or holds enough peers of its public IP or network group.
   */
  connected(id: string, addresses: readonly OfferedAddress[]): void {
    const room = this.#peers.size < MAX_CACHED_PEERS && addresses.every((address) => this.#hasRoomNear(address))
    if (addresses.length > 0 && (this.#peers.has(id) || room)) {
      this.worked(
        id,
        addresses.map(({ text }) => text),
      )
    }
  }

  #hasRoomNear({ text, group }: OfferedAddress): boolean {
    if (group === undefined) {
      return true
    }
    let atIp = 0
    let inGroup = 0
    for (const { addresses } of this.#peers.values()) {
      const ips = addresses.map(ipOf)
      atIp += ips.some((ip) => ip.text === ipOf(text).text) ? 1 : 0
      inGroup += ips.some((ip) => scopeOf(ip) === 'public' && networkGroupOf(ip) === group) ? 1 : 0
    }
    return atIp < MAX_INBOUND_PER_IP && inGroup < MAX_INBOUND_PER_GROUP
  }

  /** Replaces the peers by these. */
  keep(peers: readonly CachedPeer[]): void {
    this.#peers.clear()
    for (const peer of peers.slice(0, MAX_CACHED_PEERS)) {
      this.#peers.set(peer.id, peer)
    }
    this.#changed()
  }

  /** A bootstrap that was not configured has answered. */
  met(bootstrap: CachedBootstrap): void {
    if (!this.#bootstraps.has(bootstrap.id) && this.#bootstraps.size < MAX_CACHED_BOOTSTRAPS) {
      this.#bootstraps.set(bootstrap.id, bootstrap)
      this.#changed()
    }
  }

  forgetBootstrap(id: string): void {
    if (this.#bootstraps.delete(id)) {
      this.#changed()
    }
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    if (this.#cancelWrite !== undefined) {
      this.#cancelWrite()
      this.#write()
    }
    await this.#writing
  }

  #changed(): void {
    if (this.#init.path !== undefined && !this.#unreadable) {
      this.#cancelWrite ??= this.#init.scheduler.after(WRITE_DELAY_MS, () => this.#write())
    }
  }

  #write(): void {
    const { path, onNotice } = this.#init
    this.#cancelWrite = undefined
    this.#writing = this.#writing
      .then(() => writeCache(path!, { peers: [...this.#peers.values()], bootstraps: this.bootstraps }))
      .catch((err) =>
        onNotice(`the cache ${path} can't be written (${text(err)}); it is tried again with the next change`),
      )
  }
}

function text(err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}
