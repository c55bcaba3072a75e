import type { Multiaddr } from '@multiformats/multiaddr'

/**
 * Whether a public node must not dial an address; true is "deny", as everywhere in a connection gater.
 *
 * @libp2p/tcp dials `/unix/…`, so a remote peer that fills the address book could have the node write into local
 * sockets. A name would have it ask a resolver of that peer's choice; a relay would have it dial through a third
 * party.
 */
export function denyDialMultiaddr(address: Multiaddr): boolean {
  return !address.getComponents().every(({ name }) => DIALLED.has(name))
}

const DIALLED = new Set(['ip4', 'ip6', 'tcp', 'p2p'])
