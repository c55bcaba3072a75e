// Peers as bootstraps and the cache offer them, for the keeper.

import { type Address, isDialablePort, MAX_ADDRESS_BYTES, parseAddress } from '../peer/address.ts'
import { networkGroupOf, type Scope, scopeOf } from '../peer/ip.ts'
import { MAX_ADDRESSES } from '../peer/limits.ts'
import { canonicalPeerId } from '../peer/peer-id.ts'
import type { PeerRecord } from '../wire/bootstrap-codec.ts'

/** A peer that a bootstrap names: literal addresses that may be dialled, unverified. */
export interface OfferedPeer {
  /** base58btc. */
  readonly id: string
  /** Multiaddrs without `/p2p`, canonical. At least one, at most 8. */
  readonly addresses: readonly OfferedAddress[]
}

export interface OfferedAddress {
  readonly text: string
  /** The network group of a public address; undefined in loopback and private ranges, where all are neighbours. */
  readonly group: string | undefined
}

/**
 * The records of an answer that can be used, with those of their addresses that can. A record is left out whole when
 * its addresses name different peers.
 *
 * `seenAt` is where the bootstrap is: one on the internet may name nothing in our loopback or our private network.
 * Otherwise it could have each of its clients dial the router of its own network.
 */
export function readOfferedPeers(records: readonly PeerRecord[], seenAt: Scope): OfferedPeer[] {
  return records.flatMap(({ addresses }) => {
    const read = addresses.flatMap((each) => readDialable(each) ?? [])
    const ids = new Set(read.map(({ id }) => id))
    const [id] = ids
    if (id === undefined || ids.size !== 1) {
      return []
    }
    const usable = read.flatMap(({ scope, address }) => (mayName(seenAt, scope) ? address : []))
    return usable.length === 0 ? [] : [{ id, addresses: usable.slice(0, MAX_ADDRESSES) }]
  })
}

/** The bootstraps of an answer, multiaddrs with `/p2p`, that a bootstrap at `seenAt` may name. */
export function readOfferedBootstraps(bootstraps: readonly string[], seenAt: Scope): string[] {
  return bootstraps.filter((each) => {
    const scope = readDialable(each)?.scope
    return scope !== undefined && mayName(seenAt, scope)
  })
}

export interface Dialable {
  /** base58btc. */
  readonly id: string
  readonly scope: Scope
  readonly address: OfferedAddress
}

/** Reads a multiaddr of literal IP, TCP port and PeerId that may be dialled; undefined for anything else. */
export function readDialable(text: string): Dialable | undefined {
  // The PeerId is not part of what parseAddress bounds to an address's length.
  const parsed = text.length > MAX_ADDRESS_BYTES ? 'address_too_long' : parseAddress(text)
  if (typeof parsed === 'string' || parsed.address === undefined || parsed.peerId === undefined) {
    return undefined
  }
  const id = canonicalPeerId(parsed.peerId)
  const { ip, port } = parsed.address
  const scope = scopeOf(ip)
  if (id === undefined || scope === 'special' || !isDialablePort(port)) {
    return undefined
  }
  return { id, scope, address: offered(parsed.address) }
}

function offered({ ip, text }: Address): OfferedAddress {
  return { text, group: scopeOf(ip) === 'public' ? networkGroupOf(ip) : undefined }
}

/** The far end of a connection as an address; undefined when it is no IP and TCP port. */
export function readAddress(remoteAddr: string): OfferedAddress | undefined {
  const parsed = parseAddress(withoutPeer(remoteAddr))
  return typeof parsed === 'string' || parsed.address === undefined ? undefined : offered(parsed.address)
}

/** The dialable addresses of a peer that are not our `own`: a peer that claims one of those would have us dial ourselves. */
export function foreignAddresses(id: string, addresses: readonly string[], own: readonly string[]): OfferedAddress[] {
  const ours = new Set(own.map(withoutPeer))
  return addresses.flatMap((text) => {
    const address = readDialable(`${withoutPeer(text)}/p2p/${id}`)?.address
    return address === undefined || ours.has(address.text) ? [] : [address]
  })
}

function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}

/** Whether a peer at `speaker` can know an address of that scope. */
export function mayName(speaker: Scope, scope: Scope): boolean {
  return scope === 'public' || speaker === 'loopback' || (speaker !== 'public' && scope !== 'loopback')
}
