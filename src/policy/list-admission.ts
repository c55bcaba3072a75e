// Why an entry of a list that the operator edited, or that was restored or imported, may not be served.

import { ipOf, isDialablePort } from '../peer/address.ts'
import { scopeOf } from '../peer/ip.ts'
import type { AdmissionRules } from './admission.ts'
import type { RefusalCode } from './refusal.ts'

/** An entry of a list, as it is kept or as an operator wrote it. */
export interface ListEntry {
  readonly network: string
  /** Undefined when the entry names no peer. */
  readonly peerId: string | undefined
  /** The canonical multiaddr without `/p2p`. */
  readonly address: string
}

/**
 * Why an entry of a list is not served; undefined when it is. A list may be of another node, or of before the operator
 * changed the settings: what no peer may register, and what the node would dial at the word of a stranger, is in none.
 */
export function refuseEntry(
  { network, peerId, address }: ListEntry,
  { networks, access }: Pick<AdmissionRules, 'networks' | 'access'>,
): RefusalCode | undefined {
  if (networks !== undefined && !networks.has(network)) {
    return 'network_not_served'
  }
  const ip = ipOf(address)
  if (!access.permits(peerId ?? '', ip)) {
    return 'denied'
  }
  if (scopeOf(ip) === 'special') {
    return 'ip_special'
  }
  return isDialablePort(Number(address.split('/')[4])) ? undefined : 'port_not_allowed'
}
