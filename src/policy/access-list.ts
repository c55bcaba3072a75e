import { BlockList } from 'node:net'
import { type Ip, parseIp } from '../peer/ip.ts'
import { canonicalPeerId } from '../peer/peer-id.ts'

/** The peers and addresses that the operator allows or denies. */
export interface AccessList {
  permits(peerId: string, ip: Ip): boolean
}

export interface AccessRules {
  /** Never served: PeerIds (base58btc), IPs, and ranges such as `203.0.113.0/24`. */
  readonly deny: readonly string[]
  /** When there is one, only these are listed. */
  readonly allow: readonly string[]
}

/** Parses the rules once. A rule that is neither an IP nor a range is taken as a PeerId. */
export function accessList({ deny, allow }: AccessRules): AccessList {
  const denied = matcher(deny)
  const allowed = matcher(allow)
  return {
    permits: (peerId, ip) => !denied(peerId, ip) && (allow.length === 0 || allowed(peerId, ip)),
  }
}

/** An IP or a range of IPs: `[address, prefix length]`; undefined when the text is neither. */
export function parseRange(text: string): { readonly ip: Ip; readonly bits: number } | undefined {
  const [host = '', bitsText, ...rest] = text.split('/')
  const ip = parseIp(host)
  if (ip === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bitsText ?? '0')) {
    return undefined
  }
  const most = ip.family === 4 ? 32 : 128
  const bits = bitsText === undefined ? most : Number(bitsText)
  return bits <= most ? { ip, bits } : undefined
}

function matcher(rules: readonly string[]): (peerId: string, ip: Ip) => boolean {
  const ranges = new BlockList()
  const peers = new Set<string>()
  for (const rule of rules) {
    const range = parseRange(rule)
    if (range === undefined) {
      peers.add(canonicalPeerId(rule) ?? rule)
    } else {
      ranges.addSubnet(range.ip.text, range.bits, range.ip.family === 4 ? 'ipv4' : 'ipv6')
    }
  }
  return (peerId, ip) => peers.has(peerId) || ranges.check(ip.text, ip.family === 4 ? 'ipv4' : 'ipv6')
}
