// The cache of peers that worked and of bootstraps met on the way; it survives restarts.

import type { Scheduler } from '../scheduler.ts'
import {
  type CachedBootstrap,
  type CachedPeer,
  MAX_CACHED_ADDRESSES,
  MAX_CACHED_BOOTSTRAPS,
  MAX_CACHED_PEERS,
  readCache,
  writeCache,
} from './cache-file.ts'
import { InboundPlaces } from './inbound-places.ts'

/** Changes that come within this time are written together, ms. */
const WRITE_DELAY_MS = 2000
/** Addresses of one peer that are kept because they were dialled: the rest of them is for what others say. */
const MAX_DIALLED = MAX_CACHED_ADDRESSES / 2

export interface PeerCacheInit {
  /** The file; undefined remembers for as long as the process runs. */
  readonly path: string | undefined
  readonly scheduler: Scheduler
  /** Something a person may want to know, in one line. */
  readonly onWarning: (message: string) => void
}

/** The peers that worked, and the bootstraps that were met on the way. Survives restarts; never throws. */
export class PeerCache {
  readonly #init: PeerCacheInit
  /** The one that worked last is last. */
  readonly #peers = new Map<string, CachedPeer>()
  readonly #inbound = new InboundPlaces()
  readonly #bootstraps = new Map<string, CachedBootstrap>()
  #cancelWrite: (() => void) | undefined
  #writing: Promise<void> = Promise.resolve()
  #unreadable = false

  constructor(init: PeerCacheInit) {
    this.#init = init
  }

  /** Reads the file. Call it once, before anything else. */
  async open(): Promise<void> {
    const { path, scheduler, onWarning } = this.#init
    if (path === undefined) {
      return
    }
    try {
      const read = await readCache(path, scheduler.now())
      if (read.status === 'corrupt') {
        onWarning(`the cache ${path} was not readable; it is set aside as ${read.setAside}, and a new one is begun`)
      } else if (read.status === 'read') {
        for (const peer of read.contents.peers.toSorted((a, b) => a.workedAt - b.workedAt)) {
          this.#add(peer)
        }
        for (const bootstrap of read.contents.bootstraps) {
          this.#bootstraps.set(bootstrap.id, bootstrap)
        }
      }
    } catch (err) {
      // Whatever it holds may be worth more than what this run learns.
      this.#unreadable = true
      onWarning(`the cache ${path} can't be read (${text(err)}); this run remembers nothing`)
    }
  }

  /** The one that worked last is first. */
  get peers(): CachedPeer[] {
    return [...this.#peers.values()].reverse()
  }

  get bootstraps(): CachedBootstrap[] {
    return [...this.#bootstraps.values()]
  }

  /** A peer has answered at this multiaddr without `/p2p`, which this node dialled. */
  dialled(id: string, address: string): void {
    const { dialled = [], others = [] } = this.#known(id)
    const proved = [...new Set([address, ...dialled])].slice(0, MAX_DIALLED)
    this.#put(id, proved, [...dialled, ...others])
  }

  /**
   * A peer that is connected was named at these multiaddrs. They stay behind what was dialled, and take turns with what
   * else was said, the earlier word first: a liar's list cuts nothing of it off.
   */
  named(id: string, addresses: readonly string[]): void {
    const { dialled = [], others = [] } = this.#known(id)
    const longest = Math.max(others.length, addresses.length)
    const inTurn = Array.from({ length: longest }, (_, turn) => [others[turn] ?? [], addresses[turn] ?? []])
    this.#put(id, dialled, inTurn.flat(2))
  }

  /**
   * A peer connected to this node and says where it listens. It takes no place of another: it is left out when the
   * cache is full, or holds enough peers of its IP or network group.
   */
  connected(id: string, addresses: readonly string[]): void {
    const room = () => this.#peers.size < MAX_CACHED_PEERS && this.#inbound.hasRoom(addresses)
    if (addresses.length > 0 && (this.#peers.has(id) || room())) {
      const { dialled = [], others = [] } = this.#known(id)
      this.#put(id, dialled, [...addresses, ...others])
    }
  }

  #known(id: string): { readonly dialled?: readonly string[]; readonly others?: readonly string[] } {
    const peer = this.#peers.get(id)
    return peer === undefined
      ? {}
      : { dialled: peer.addresses.slice(0, peer.dialled), others: peer.addresses.slice(peer.dialled) }
  }

  #put(id: string, dialled: readonly string[], others: readonly string[]): void {
    const addresses = [...new Set([...dialled, ...others])].slice(0, MAX_CACHED_ADDRESSES)
    this.#drop(id)
    this.#add({ id, addresses, dialled: dialled.length, workedAt: this.#init.scheduler.now() })
    while (this.#peers.size > MAX_CACHED_PEERS) {
      this.#drop(this.#peers.values().find((peer) => peer.dialled === 0 && peer.id !== id)?.id ?? this.#oldest)
    }
    this.#changed()
  }

  get #oldest(): string {
    return this.#peers.keys().next().value!
  }

  #add(peer: CachedPeer): void {
    this.#peers.set(peer.id, peer)
    if (peer.dialled === 0) {
      this.#inbound.add(peer.addresses)
    }
  }

  #drop(id: string): void {
    const peer = this.#peers.get(id)
    this.#peers.delete(id)
    if (peer?.dialled === 0) {
      this.#inbound.remove(peer.addresses)
    }
  }

  /** Replaces the peers by these. */
  keep(peers: readonly CachedPeer[]): void {
    for (const id of [...this.#peers.keys()]) {
      this.#drop(id)
    }
    for (const peer of peers.slice(0, MAX_CACHED_PEERS)) {
      this.#add(peer)
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
    const { path, onWarning } = this.#init
    this.#cancelWrite = undefined
    this.#writing = this.#writing
      .then(() => writeCache(path!, { peers: [...this.#peers.values()], bootstraps: this.bootstraps }))
      .catch((err) =>
        onWarning(`the cache ${path} can't be written (${text(err)}); it is tried again with the next change`),
      )
  }
}

function text(err: unknown): string {
  return err instanceof Error ? err.message : String(err)
}
