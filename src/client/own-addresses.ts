// The addresses that this node listens on.

import type { AddressManager } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'

/** The addresses of this node, multiaddrs. */
export interface OwnAddresses {
  /** Those that libp2p announces: private ones, configured ones, and public ones that were confirmed. */
  readonly announced: readonly string[]
  /** Public ones that the node listens on, and that libp2p does not announce before AutoNAT has confirmed them. */
  readonly unconfirmed: readonly string[]
}

/** The part of libp2p's address manager that is used. Another implementation may have only `getAddresses`. */
export interface AddressSource extends Pick<AddressManager, 'getAddresses'> {
  readonly getAddressesWithMetadata?: AddressManager['getAddressesWithMetadata']
}

/**
 * Reads the addresses of this node, now. Of the unconfirmed addresses only those that a transport listens on count: an
 * observed one is the word of another peer. A dial-back of the bootstrap confirms an address as AutoNAT would.
 */
export function ownAddresses(source: AddressSource): OwnAddresses {
  const unconfirmed = (source.getAddressesWithMetadata?.() ?? [])
    .filter(({ type, verified }) => type === 'transport' && !verified)
    .map(({ multiaddr }) => multiaddr)
  return {
    announced: source.getAddresses().map(String),
    unconfirmed: filterOf(source)(unconfirmed).map(String),
  }
}

/** `addresses.announceFilter` of libp2p's options: what it leaves out is not registered either. The interface hides it. */
function filterOf(source: AddressSource): (multiaddrs: Multiaddr[]) => Multiaddr[] {
  const { announceFilter } = source as { announceFilter?: unknown }
  return typeof announceFilter === 'function'
    ? (multiaddrs) => announceFilter.call(source, multiaddrs)
    : (multiaddrs) => multiaddrs
}
