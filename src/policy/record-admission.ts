import { type Address, parseAddress } from '../peer/address.ts'
import { type Ip, parseIp, scopeOf } from '../peer/ip.ts'
import { MAX_ADDRESSES } from '../peer/limits.ts'
import { samePeer } from '../peer/peer-id.ts'
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
    const place = readPlace(text, peerId)
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
    // A private address elsewhere can't be proved and need not be: the record stays within that range.
    if (place.address !== undefined && (seenAt.has(place.ip.text) || scope === 'public' || allowPrivateIp)) {
      provable.add(place.address.text)
    }
  }
  return provable.size === 0 ? 'address_unsupported' : { provable: [...provable].slice(0, MAX_ADDRESSES) }
}

/** Where an address of a record is; `address` is undefined when it can't be dialled for a proof. */
function readPlace(text: string, peerId: string): { ip: Ip; address: Address | undefined } | RefusalCode {
  const parts = text.split('/')
  const [, version, host = ''] = parts
  const ip = version === 'ip4' || version === 'ip6' ? parseIp(host) : undefined
  // A name can come to mean anything after it was looked at, and a relay is another node.
  if (ip === undefined || parts.includes('p2p-circuit')) {
    return 'address_unsupported'
  }
  const p2p = parts.indexOf('p2p')
  if (p2p >= 0 && !samePeer(parts[p2p + 1] ?? '', peerId)) {
    return 'peer_mismatch'
  }
  const parsed = parseAddress(text)
  return { ip, address: typeof parsed === 'string' ? undefined : parsed.address }
}
