// Offers peers of the cache while the answers leave the node short of peers.

import { backOff } from '../../base/back-off.ts'
import type { Random } from '../../base/random.ts'
import type { CachedPeer } from '../cache/cache-file.ts'
import type { PeerCache } from '../cache/peer-cache.ts'
import { readDialable } from '../offered-peers.ts'
import type { Scheduler } from '../scheduler.ts'
import { CACHE_SOURCE, INBOUND_SOURCE } from '../source-tags.ts'
import { type ChosenPeer, choosePeers } from './choose-peers.ts'

/** Peers of the cache that are tried at a time. */
const MOST = 128
const PER_GROUP = 16
/** Those of them at most that only connected to this node: strangers can be any number of these. */
const MOST_INBOUND = MOST / 4
/** They are announced again after 5–15 s at the earliest, ms, then twice as late each time, up to the refresh. */
const AGAIN_MS = 10_000

export interface CacheFallbackInit {
  readonly cache: Pick<PeerCache, 'peers'>
  readonly ownId: string
  /** The longest pause between two uses that are wanted, ms. */
  readonly refreshInterval: number
  readonly scheduler: Scheduler
  readonly random: Random
  readonly onUse: (peers: readonly ChosenPeer[]) => void
}

/**
 * Peers of earlier runs, for when the answers leave the node short of peers: those that this node has dialled, then some
 * that only connected to it, each those that worked last, spread over network groups.
 */
export class CacheFallback {
  readonly #init: CacheFallbackInit
  #uses = 0
  #notBefore = Number.NEGATIVE_INFINITY
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

  /** The node is short of peers now. */
  use(): void {
    const { cache, ownId, refreshInterval, scheduler, random, onUse } = this.#init
    if (this.#state !== 'ready') {
      this.#state = this.#state === 'stopped' ? 'stopped' : 'wanted'
      return
    }
    if (scheduler.now() < this.#notBefore) {
      return
    }
    const others = cache.peers.filter(({ id }) => id !== ownId)
    const inbound = chosenOf(
      others.filter(({ dialled }) => dialled === 0),
      MOST_INBOUND,
      INBOUND_SOURCE,
    )
    const dialled = chosenOf(
      others.filter((each) => each.dialled > 0),
      MOST - inbound.length,
      CACHE_SOURCE,
    )
    const chosen = [...dialled, ...inbound]
    if (chosen.length > 0) {
      const again = { first: Math.min(AGAIN_MS, refreshInterval), most: refreshInterval }
      this.#notBefore = scheduler.now() + backOff(++this.#uses, again, random)
      onUse(chosen)
    }
  }
}

/** Those that worked last, spread over network groups. */
function chosenOf(peers: readonly CachedPeer[], most: number, origin: string): ChosenPeer[] {
  const offered = peers.flatMap(({ id, addresses }) => {
    const read = addresses.flatMap((text) => readDialable(`${text}/p2p/${id}`)?.address ?? [])
    return read.length === 0 ? [] : [{ id, addresses: read }]
  })
  return choosePeers([{ origin, peers: offered }], { perOrigin: most, perGroup: PER_GROUP })
}
