import { type ChosenPeer, choosePeers } from './choose-peers.ts'
import { readDialable } from './offered-peers.ts'
import type { PeerCache } from './peer-cache.ts'
import type { Scheduler } from './scheduler.ts'
import { CACHE_SOURCE } from './source-tags.ts'

/** Peers of the cache that are tried at a time. */
const CAPS = { perRoot: 128, perGroup: 16 }

export interface CacheFallbackInit {
  readonly cache: Pick<PeerCache, 'peers'>
  readonly ownId: string
  /** The least time between two uses, ms. */
  readonly interval: number
  readonly scheduler: Scheduler
  readonly onUse: (peers: readonly ChosenPeer[]) => void
}

/** Peers of earlier runs, for when no bootstrap answers: those that worked last, spread over network groups. */
export class CacheFallback {
  readonly #init: CacheFallbackInit
  #usedAt = Number.NEGATIVE_INFINITY
  #state: 'reading' | 'wanted' | 'ready' | 'stopped' = 'reading'

  constructor(init: CacheFallbackInit) {
    this.#init = init
  }

  /** The cache has been read. */
  ready(): void {
    const wanted = this.#state === 'wanted'
    this.#state = 'ready'
    if (wanted) {
      this.use()
    }
  }

  stop(): void {
    this.#state = 'stopped'
  }

  /** No bootstrap answers now. */
  use(): void {
    const { cache, ownId, interval, scheduler, onUse } = this.#init
    if (this.#state !== 'ready') {
      this.#state = this.#state === 'stopped' ? 'stopped' : 'wanted'
      return
    }
    if (scheduler.now() - this.#usedAt < interval) {
      return
    }
    const offered = cache.peers.flatMap(({ id, addresses }) => {
      const read = addresses.flatMap((text) => readDialable(`${text}/p2p/${id}`)?.address ?? [])
      return id === ownId || read.length === 0 ? [] : [{ id, addresses: read }]
    })
    if (offered.length > 0) {
      this.#usedAt = scheduler.now()
      onUse(choosePeers([{ root: CACHE_SOURCE, peers: offered }], CAPS))
    }
  }
}
