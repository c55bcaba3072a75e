/**
 * Who named a peer, as tags in libp2p's peer store: the way from the discovery to whoever connects, such as
 * `peerKeeper`. A tag's value also keeps libp2p from hanging up on the peer before it does on strangers.
 */

const PREFIX = 'bootstrap-peer:'
const VALUE = 10

/** The source of peers that worked in an earlier run. */
export const CACHE_SOURCE = 'cache'

export function sourceTags(sources: readonly string[], ttl: number): Record<string, { value: number; ttl: number }> {
  return Object.fromEntries(sources.map((source) => [`${PREFIX}${source}`, { value: VALUE, ttl }]))
}

/** Origins (PeerIds of configured bootstraps) and {@link CACHE_SOURCE}; empty for a peer that others found. */
export function sourcesOf(tags: ReadonlyMap<string, unknown>): string[] {
  return [...tags.keys()].flatMap((name) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []))
}
