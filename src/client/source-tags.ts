/**
 * Who named a peer, as tags in libp2p's peer store: the way from the discovery to whoever connects, such as
 * `peerKeeper`. A tag's value also keeps libp2p from hanging up on the peer before it does on strangers.
 */

const PREFIX = 'bootstrap-peer:'
const VALUE = 10

/** The source of peers that worked in an earlier run. */
export const CACHE_SOURCE = 'cache'
/** The source of peers that connected to this node in an earlier run, and that it has never dialled. */
export const INBOUND_SOURCE = 'inbound'

export function sourceTags(sources: readonly string[], ttl: number): Record<string, { value: number; ttl: number }> {
  return Object.fromEntries(sources.map((source) => [`${PREFIX}${source}`, { value: VALUE, ttl }]))
}

/** Origins (PeerIds of configured bootstraps), {@link CACHE_SOURCE} and {@link INBOUND_SOURCE}; empty for a peer that others found. */
export function sourcesOf(tags: ReadonlyMap<string, unknown>): string[] {
  return [...tags.keys()].flatMap((name) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []))
}
