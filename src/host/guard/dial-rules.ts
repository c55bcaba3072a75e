import type { Multiaddr } from '@multiformats/multiaddr'

/**
 * Whether a node that meets strangers must not dial an address; true is "deny", as everywhere in a connection gater.
 *
 * @libp2p/tcp dials `/unix/…`, so an address book that a stranger filled would have us write into local sockets; names
 * would have us ask a resolver of the stranger's choice; a relay has us dial through somebody else.
 */
export function denyDialMultiaddr(address: Multiaddr): boolean {
  return !address.getComponents().every(({ name }) => DIALLED.has(name))
}

const DIALLED = new Set(['ip4', 'ip6', 'tcp', 'p2p'])
