// Where a peer that connected to this node can be dialed.

import type { IdentifyResult } from '@libp2p/interface'
import { addressAt, parseAddress } from '../../peer/address.ts'
import { BOOTSTRAP_PROTOCOL } from '../../wire/bootstrap-codec.ts'
import { type OfferedAddress, readDialable } from '../offered-peers.ts'

/** The most addresses of one peer that are taken from identify: one port for each of its listeners, and to spare. */
const MAX_ADDRESSES = 2

/**
 * Where a peer that connected to this node may be dialled: the TCP ports that identify names, at the IP that the
 * connection comes from. An IP that only identify names is never used, so that a peer sends this node nowhere else.
 * Empty for a bootstrap, which is no peer of the network.
 */
export function addressesOfInbound({
  peerId,
  listenAddrs,
  protocols,
  connection,
}: IdentifyResult): readonly OfferedAddress[] {
  const remote = parseAddress(connection.remoteAddr.toString())
  if (typeof remote === 'string' || remote.address === undefined || protocols.includes(BOOTSTRAP_PROTOCOL)) {
    return []
  }
  const { ip } = remote.address
  const ports = new Set(
    listenAddrs.flatMap((each) => {
      const parsed = parseAddress(each.toString())
      return typeof parsed === 'string' ? [] : [parsed.port]
    }),
  )
  return [...ports]
    .flatMap((port) => readDialable(`${addressAt(ip, port).text}/p2p/${peerId}`)?.address ?? [])
    .slice(0, MAX_ADDRESSES)
}
