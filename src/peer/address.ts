// Reads addresses: which texts are accepted, and their canonical form.

import { type Ip, parseIp } from './ip.ts'

/** The most bytes an address may have on the wire and in a file. Bitcoin allows 512; no literal ip/tcp/p2p needs 128. */
export const MAX_ADDRESS_BYTES = 256

/**
 * An address at which a peer can be dialled: literal IP, TCP port. Only {@link parseAddress} makes one, so it is safe
 * to dial, to store and to print: no names to resolve, no unix paths, no relays, no control characters.
 */
export interface Address {
  readonly ip: Ip
  /** 1 to 65535. */
  readonly port: number
  /** The canonical multiaddr without `/p2p`, such as `/ip4/203.0.113.7/tcp/4001`. */
  readonly text: string
}

/** What an address text can mean. `anyIp` is "my port, at the IP you see me at". */
export interface AddressText {
  /** Undefined when the text names every interface (`0.0.0.0`, `::`, or no host at all). */
  readonly address: Address | undefined
  readonly port: number
  /** The text after `/p2p/`, unchecked. */
  readonly peerId: string | undefined
}

/** Why a text is not a valid address. */
export type AddressFault =
  | 'address_too_long'
  | 'address_invalid'
  | 'address_unsupported'
  | 'address_not_canonical'
  | 'port_invalid'

/**
 * Reads `/ip4/A/tcp/P`, `/ip6/A/tcp/P`, either with `/p2p/ID` behind it, and the `host:port` form of Go's net.Dial with
 * a literal IP (`203.0.113.7:4001`, `[2001:db8::1]:4001`, `:4001`).
 *
 * `multiaddr()` is no validator (it takes control characters, unix paths and port 0), so the shape is read here.
 */
export function parseAddress(text: string): AddressText | AddressFault {
  if (text.length > MAX_ADDRESS_BYTES || Buffer.byteLength(text) > MAX_ADDRESS_BYTES) {
    return 'address_too_long'
  }
  return text.startsWith('/') ? parseMultiaddr(text) : parseHostPort(text)
}

/** The address at an IP and port known to be good, such as the far end of a socket. */
export function addressAt(ip: Ip, port: number): Address {
  return { ip, port, text: `/ip${ip.family}/${ip.text}/tcp/${port}` }
}

/**
 * Whether a port may be dialed because a stranger named it: mail servers and the like are below 1024. 80 and 443 are
 * fine, and pass every firewall.
 */
export function isDialablePort(port: number): boolean {
  return port >= 1024 || port === 80 || port === 443
}

/** The IP of an address whose text is canonical already: no second look at what {@link parseAddress} has checked. */
export function ipOf(canonical: string): Ip {
  const family = canonical.startsWith('/ip4/') ? 4 : 6
  return { family, text: canonical.slice(5, canonical.indexOf('/', 5)) }
}

/** A canonical multiaddr as `host:port`, with brackets around IPv6: how Go's net.Dial has it. */
export function hostPort(canonical: string): string {
  const { family, text } = ipOf(canonical)
  const port = canonical.split('/')[4]
  return family === 4 ? `${text}:${port}` : `[${text}]:${port}`
}

function parseMultiaddr(text: string): AddressText | AddressFault {
  const [, version, host, transport, portText, p2p, peerId, ...rest] = text.split('/')
  if ((version !== 'ip4' && version !== 'ip6') || transport !== 'tcp') {
    return KNOWN_PROTOCOLS.has(version ?? '') ? 'address_unsupported' : 'address_invalid'
  }
  if (rest.length > 0 || (p2p !== undefined && p2p !== 'p2p')) {
    return 'address_unsupported'
  }
  if (p2p !== undefined && (peerId === undefined || peerId === '')) {
    return 'address_invalid'
  }
  const ip = parseIp(host ?? '')
  if (ip === undefined || ip.family !== (version === 'ip4' ? 4 : 6)) {
    return 'address_invalid'
  }
  if (ip.text !== host) {
    return 'address_not_canonical'
  }
  return withPort(ip, portText ?? '', peerId)
}

function parseHostPort(text: string): AddressText | AddressFault {
  const colon = text.lastIndexOf(':')
  if (colon < 0) {
    return 'address_invalid'
  }
  const host = text.slice(0, colon)
  const portText = text.slice(colon + 1)
  if (host === '') {
    return withPort(undefined, portText, undefined)
  }
  const bracketed = host.startsWith('[') && host.endsWith(']')
  const ip = parseIp(bracketed ? host.slice(1, -1) : host)
  if (ip === undefined) {
    return HOST_NAME.test(host) ? 'address_unsupported' : 'address_invalid'
  }
  // `2001:db8::1:4001` could mean two things, so IPv6 takes brackets, as in Go and in URLs.
  return bracketed === (ip.family === 6) ? withPort(ip, portText, undefined) : 'address_invalid'
}

function withPort(ip: Ip | undefined, portText: string, peerId: string | undefined): AddressText | AddressFault {
  if (!/^\d{1,5}$/.test(portText)) {
    return 'address_invalid'
  }
  const port = Number(portText)
  if (port < 1 || port > 65_535) {
    return 'port_invalid'
  }
  if (String(port) !== portText) {
    return 'address_not_canonical'
  }
  const any = ip === undefined || ip.text === '0.0.0.0' || ip.text === '::'
  return { address: any ? undefined : addressAt(ip, port), port, peerId }
}

const HOST_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?$/i

/** Well-formed, but an address that a bootstrap can't verify or should not dial. The answer is "unsupported". */
const KNOWN_PROTOCOLS = new Set(
  'ip4 ip6 dns dns4 dns6 dnsaddr unix p2p p2p-circuit ipcidr ip6zone udp onion onion3 memory http https ws wss'.split(
    ' ',
  ),
)
