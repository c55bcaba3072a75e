/**
 * The sources that named a peer, as tags in libp2p's peer store. The discovery writes them, and a module that connects, such
 * as `peerKeeper`, reads them. Because of a tag's value libp2p closes the connections of untagged peers first.
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

/** Origins (PeerIds of configured bootstraps), {@link CACHE_SOURCE} and {@link INBOUND_SOURCE}; empty for a peer that another discovery found. */
export function sourcesOf(tags: ReadonlyMap<string, unknown>): string[] {
  return [...tags.keys()].flatMap((name) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []))
}
