// A peer that could be connected to, as the plan sees it.

import { CACHE_SOURCE, INBOUND_SOURCE } from '../source-tags.ts'

/** What the plan looks at of a peer that could be connected to. */
export interface Prospect {
  readonly id: string
  /** IPs of its addresses. */
  readonly ips: ReadonlySet<string>
  /** Network groups of its addresses; none in loopback and private ranges. */
  readonly groups: ReadonlySet<string>
  /** Who named it: origins of bootstraps, the cache, and {@link INBOUND_SOURCE}. */
  readonly sources: ReadonlySet<string>
  /** A long-lived peer of an earlier run. */
  readonly anchor: boolean
  /** Failures in a row. */
  readonly failures: number
  /** Not to be dialled earlier, ms. */
  readonly notBefore: number
}

/**
 * The origin whose word alone stands for a peer. The cache is no second source: it holds what the same origin named, as
 * soon as it was connected to; nor does it make a peer trusted that no origin names now. Those that only ever connected to
 * this node have one origin, {@link INBOUND_SOURCE}: remote peers can be any number of them.
 */
export function soleOrigin({ sources }: Pick<Prospect, 'sources'>): string | undefined {
  let only: string | undefined
  for (const source of sources) {
    if (isOrigin(source)) {
      if (only !== undefined) {
        return undefined
      }
      only = source
    }
  }
  return only ?? (sources.has(CACHE_SOURCE) ? CACHE_SOURCE : INBOUND_SOURCE)
}

/** Whether a source is a bootstrap, and no earlier run. */
export function isOrigin(source: string): boolean {
  return source !== CACHE_SOURCE && source !== INBOUND_SOURCE
}
