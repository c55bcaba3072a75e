// Which addresses a signed record may name.

import { type Address, addressAt, isDialablePort } from './address.ts'
import { type Ip, parseIp } from './ip.ts'
import { samePeer } from './peer-id.ts'

/** An address of a signed record that no libp2p implementation dials anywhere but at its one IP. */
export interface RecordAddress {
  readonly ip: Ip
  /** As `/bootstrap/1.0.0` names it, without `/p2p`. Undefined when it is not plain TCP: it can't be dialed back. */
  readonly address: Address | undefined
}

/** Why an address of a record is refused, and the whole record with it. */
export type RecordAddressFault = 'address_unsupported' | 'peer_mismatch' | 'port_invalid' | 'port_not_allowed'

/**
 * Reads an address of a record of a peer: one literal IP, then one of a closed set of shapes, then at most the `/p2p` of
 * that peer.
 *
 * What stands behind the first IP matters, as implementations differ in which part they dial: Go and JavaScript take the
 * first IP and port, rust-libp2p's TCP transport the last (libp2p-tcp 0.45, `multiaddr_to_socketaddr`), and a DNS
 * transport resolves a name anywhere. So `/ip4/<own>/tcp/4001/ip4/<victim>/tcp/22` would send Rust peers to the victim.
 */
export function readRecordAddress(text: string, peerId: string): RecordAddress | RecordAddressFault {
  const [, version, host = '', transport, portText = '', shape = '', p2p] = ADDRESS.exec(text) ?? []
  const ip = parseIp(host)
  if (ip === undefined || version !== `ip${ip.family}` || !isKnownShape(transport, shape, ip)) {
    return 'address_unsupported'
  }
  const port = Number(portText)
  if (port < 1 || port > 65_535) {
    return 'port_invalid'
  }
  if (!isDialablePort(port)) {
    return 'port_not_allowed'
  }
  if (p2p !== undefined && !samePeer(p2p, peerId)) {
    return 'peer_mismatch'
  }
  return { ip, address: transport === 'tcp' && shape === '' ? addressAt(ip, port) : undefined }
}

/** The parts: IP version, IP, transport, port, what stands on top of it, PeerId. */
const ADDRESS = /^\/(ip4|ip6)\/([^/]+)\/(tcp|udp)\/(0|[1-9]\d{0,4})((?:\/(?!p2p(?:\/|$))[^/]+)*)(?:\/p2p\/([^/]+))?$/

function isKnownShape(transport: string | undefined, shape: string, ip: Ip): boolean {
  return transport === 'tcp' ? TCP_SHAPES.has(shape) || isAutoTls(shape, ip) : UDP_SHAPES.test(shape)
}

const TCP_SHAPES: ReadonlySet<string> = new Set(['', '/ws', '/wss', '/tls/ws'])
/** A multihash of SHA-256, the only one that implementations make, in base64url. */
const CERTHASH = 'uEi[A-D][A-Za-z0-9_-]{43}'
const UDP_SHAPES = new RegExp(
  `^(?:/quic-v1(?:/webtransport(?:/certhash/${CERTHASH})+)?|/webrtc-direct/certhash/${CERTHASH})$`,
)

/**
 * A name in `/tls/sni/<name>/ws` is an address of its own: @libp2p/websockets connects to the name and not to the IP
 * (multiaddr-to-uri 12). So only names are taken that stand for the IP: those of AutoTLS, whose first label is the IP,
 * which is what the servers of libp2p.direct answer for them.
 */
function isAutoTls(shape: string, ip: Ip): boolean {
  const [, label, key] = AUTO_TLS.exec(shape) ?? []
  return key !== undefined && label === labelOf(ip)
}

/** The second label is the PeerId, a CID in base36: of Ed25519 62 characters, of RSA 56. */
const AUTO_TLS = /^\/tls\/sni\/([0-9a-f-]+)\.(k[0-9a-z]{40,63})\.libp2p\.direct\/ws$/

/** As p2p-forge writes an IP into a label: dashes for dots and colons, and no dash at either end. */
function labelOf({ text }: Ip): string {
  return text.replaceAll(/[.:]/g, '-').replace(/^-/, '0-').replace(/-$/, '-0')
}
