// Whether a signed record may be listed.

import { scopeOf } from '../peer/ip.ts'
import { MAX_ADDRESSES } from '../peer/limits.ts'
import { readRecordAddress } from '../peer/record-address.ts'
import type { RecordPlaces } from '../peer/record-places.ts'
import type { AdmissionRules } from './admission.ts'
import type { RefusalCode } from './refusal.ts'

/** A record that may be handed out as it is, and those of its addresses that can be proved. */
export interface Admissible {
  /** Canonical multiaddrs without `/p2p`; at least one, at most as many as a peer may register. */
  readonly provable: readonly string[]
}

/**
 * Whether a record may be handed out. It goes out whole or not at all, for cutting it would break its signature, so
 * each address in it has to be one that its peer may make others dial: at an IP that the peer is seen at, or private.
 *
 * @param seenAt the IPs that the peer is known to be at: where it calls from, or where it answered.
 */
export function judgeRecord(
  { peerId, addresses }: { readonly peerId: string; readonly addresses: readonly string[] },
  seenAt: ReadonlySet<string>,
  { allowForeignIp, allowPrivateIp, access }: Pick<AdmissionRules, 'allowForeignIp' | 'allowPrivateIp' | 'access'>,
): Admissible | RefusalCode {
  const provable = new Set<string>()
  for (const text of addresses) {
    const place = readRecordAddress(text, peerId)
    if (typeof place === 'string') {
      return place
    }
    const scope = scopeOf(place.ip)
    if (scope === 'special') {
      return 'ip_special'
    }
    if (scope === 'public' && !seenAt.has(place.ip.text) && !allowForeignIp) {
      return 'ip_mismatch'
    }
    if (!access.permits(peerId, place.ip)) {
      return 'denied'
    }
    // A private address elsewhere can't be proved, and is handed out only where `mayStillBeHandedOut` says.
    if (place.address !== undefined && (seenAt.has(place.ip.text) || scope === 'public' || allowPrivateIp)) {
      provable.add(place.address.text)
    }
  }
  return provable.size === 0 ? 'address_unsupported' : { provable: [...provable].slice(0, MAX_ADDRESSES) }
}

/**
 * Whether a record may be handed out at this moment, when its peer holds these IPs: those that it was judged by may have
 * gone since. A peer on the node's own machine may name any private address of that machine.
 */
export function mayStillBeHandedOut(
  { publicIps, privateIps, scope }: RecordPlaces,
  holds: (ip: string) => boolean,
  { allowForeignIp, allowPrivateIp }: Pick<AdmissionRules, 'allowForeignIp' | 'allowPrivateIp'>,
): boolean {
  return (
    (allowForeignIp || publicIps.every(holds)) && (allowPrivateIp || scope === 'loopback' || privateIps.every(holds))
  )
}
