import { addressAt } from './address.ts'
import { type Ip, parseIp, type Scope, scopeOf } from './ip.ts'

/** The remote peer of a request: what the connection proved, nothing that it claims. */
export interface Caller {
  /** base58btc. */
  readonly peerId: string
  /** The far end of the connection. */
  readonly ip: Ip
  readonly scope: Scope
  /** The far end as a multiaddr without `/p2p`. */
  readonly observed: string
}

/** The caller at the far end of a connection; undefined when that is no IP and TCP port (a relay, a unix socket). */
export function callerAt(peerId: string, remoteAddr: string): Caller | undefined {
  // The text is libp2p's, which writes IPv4 inside IPv6 in hexadecimal: the peer is not refused for that form.
  const [, protocol, host = '', transport, port = ''] = remoteAddr.split('/')
  const ip = protocol === 'ip4' || protocol === 'ip6' ? parseIp(host) : undefined
  if (ip === undefined || transport !== 'tcp') {
    return undefined
  }
  const seen = unmapped(ip)
  return { peerId, ip: seen, scope: scopeOf(seen), observed: addressAt(seen, Number(port)).text }
}

/** A dual-stack socket shows IPv4 callers as `::ffff:a.b.c.d`; they are dialed, counted and shown as what they are. */
function unmapped(ip: Ip): Ip {
  const mapped = ip.text.startsWith('::ffff:') ? parseIp(ip.text.slice(7)) : undefined
  return mapped ?? ip
}
