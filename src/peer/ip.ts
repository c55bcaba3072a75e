import { BlockList, isIP } from 'node:net'

/**
 * Where on the internet an address is. An address outside `public` is meaningful only to callers of the same scope:
 * `10.0.0.5` is a different machine in each private network.
 *
 * `special` is an address at which no peer can be reached, or that must never be dialled at a remote peer's request:
 * multicast, the documentation ranges, NAT64 and the other ways to write an IPv4 address inside an IPv6 one, and so
 * on.
 */
export type Scope =
  | 'public'
  | 'loopback'
  | 'private-10'
  | 'private-172'
  | 'private-192'
  | 'shared'
  | 'link-local'
  | 'unique-local'
  | 'special'

/** A literal IP address. Only {@link parseIp} makes one, so `text` is canonical and `family` is true. */
export interface Ip {
  readonly family: 4 | 6
  /** Canonical text: dotted decimal without leading zeros, or RFC 5952. */
  readonly text: string
}

/** The canonical form of a literal IP address, or undefined for anything else: names, zones, octal, whitespace. */
export function parseIp(text: string): Ip | undefined {
  switch (isIP(text)) {
    case 4:
      return { family: 4, text }
    case 6:
      return text.includes('%') ? undefined : { family: 6, text: formatIp6(ip6Groups(text)) }
    default:
      return undefined
  }
}

/** The 32 bits of an IPv4 address, as a signed integer: V8 keeps those without a box. */
export function ip4Number(ip: Ip): number {
  return ip4NumberAt(ip.text, 0)
}

/** The same for a dotted decimal inside a text, from a given position to the end or to a slash. */
export function ip4NumberAt(text: string, start: number): number {
  let number = 0
  let part = 0
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit === SLASH) {
      break
    }
    if (digit < 0) {
      number = (number << 8) | part
      part = 0
    } else {
      part = part * 10 + digit
    }
  }
  return (number << 8) | part
}

/** The scope of an address, by the IANA special-purpose registries (RFC 6890 and successors). */
export function scopeOf(ip: Ip): Scope {
  if (ip.family === 4) {
    const number = ip4Number(ip)
    return RANGES_4.find(({ net, mask }) => (number & mask) === net)?.scope ?? 'public'
  }
  // IANA has handed out global unicast from 2000::/3 only; all the rest is reserved, mapped, translated or multicast.
  const named = SCOPES_6.find(([, list]) => list.check(ip.text, 'ipv6'))?.[0]
  return named ?? (GLOBAL_UNICAST_6.check(ip.text, 'ipv6') ? 'public' : 'special')
}

/**
 * The prefix of an address as text, for counting by subnet: `/24` and `/16` for IPv4, `/64`, `/56`, `/48` and `/32`
 * for IPv6. The result is an opaque key, not an address.
 */
export function prefixOf(ip: Ip, bits: Bits): string {
  if (ip.family === 4) {
    const parts = ip.text.split('.')
    return `${parts.slice(0, bits / 8).join('.')}/${bits}`
  }
  const groups = ip6Groups(ip.text)
  const whole = groups.slice(0, bits >> 4)
  if (bits % 16 !== 0) {
    whole.push(groups[bits >> 4]! & 0xff00)
  }
  return `${whole.map((group) => group.toString(16)).join(':')}/${bits}`
}

type Bits = 16 | 24 | 32 | 48 | 56 | 64

/**
 * The subnets that an address is in, widest first, as opaque keys: /16, /24 and the address of IPv4; /32, /48, /56 and
 * /64 of IPv6. Fair shares are counted between the subnets of one level. Of a translated address they are those of the
 * IPv4 address inside.
 */
export function subnetsOf(ip: Ip): readonly string[] {
  const { family, text } = ip4Inside(ip) ?? ip
  if (family === 4) {
    const [a, b, c] = text.split('.')
    return [`${a}.${b}/16`, `${a}.${b}.${c}/24`, text]
  }
  const [a, b, c, d] = ip6Groups(text).map((group) => group.toString(16)) as [string, string, string, string]
  const site = `${a}:${b}:${c}`
  return [`${a}:${b}/32`, `${site}/48`, `${site}:${firstByteOf(d)}/56`, `${site}:${d}/64`]
}

/** Whether the limits of the public internet hold for callers of this scope: a translated address is one of them. */
export function isLimited(scope: Scope): boolean {
  return scope === 'public' || scope === 'special'
}

/**
 * The IPv4 address that a translated IPv6 address stands for: 6to4 (2002::/16, RFC 3056), Teredo (2001::/32, RFC 4380:
 * the client's, inverted) or NAT64 (64:ff9b::/96, RFC 6052). Undefined for any other address.
 */
export function ip4Inside({ family, text }: Ip): Ip | undefined {
  if (family === 4 || !TRANSLATED.test(text)) {
    return undefined
  }
  const groups = ip6Groups(text)
  if (groups[0] === 0x2002) {
    return ip4Of(groups[1]!, groups[2]!)
  }
  if (groups[0] === 0x2001) {
    return ip4Of(groups[6]! ^ 0xffff, groups[7]! ^ 0xffff)
  }
  return groups.slice(2, 6).every((group) => group === 0) ? ip4Of(groups[6]!, groups[7]!) : undefined
}

/** Of canonical texts: a second group of zero is written as `0`, or as part of `::`. */
const TRANSLATED = /^(?:2002:|2001:0?:|64:ff9b::)/

function ip4Of(high: number, low: number): Ip {
  return { family: 4, text: `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}` }
}

/** The first byte of a group, as {@link prefixOf} writes it in a /56. */
function firstByteOf(group: string): string {
  return (Number.parseInt(group, 16) & 0xff00).toString(16)
}

/**
 * The network group of an address, which stands for one hosting operator: a /16 for IPv4, a /32 for IPv6. Bitcoin and
 * CometBFT group so: an eclipse costs addresses in many of these.
 */
export function networkGroupOf(ip: Ip): string {
  return prefixOf(ip, ip.family === 4 ? 16 : 32)
}

const ZERO = '0'.charCodeAt(0)
const SLASH = '/'.charCodeAt(0) - ZERO

/** A BlockList asks the system for each range of each address; these are checked for every registration at a start. */
const RANGES_4 = (
  [
    ['special', '0.0.0.0', 8], // "this network", RFC 791
    ['special', '192.0.0.0', 24], // IETF protocol assignments, RFC 6890
    ['special', '192.0.2.0', 24], // documentation, RFC 5737
    ['special', '192.88.99.0', 24], // 6to4 relay anycast, RFC 7526
    ['special', '198.18.0.0', 15], // benchmarking, RFC 2544
    ['special', '198.51.100.0', 24], // documentation, RFC 5737
    ['special', '203.0.113.0', 24], // documentation, RFC 5737
    ['special', '224.0.0.0', 4], // multicast, RFC 5771
    ['special', '240.0.0.0', 4], // reserved and broadcast, RFC 1112
    ['loopback', '127.0.0.0', 8],
    ['private-10', '10.0.0.0', 8],
    ['private-172', '172.16.0.0', 12],
    ['private-192', '192.168.0.0', 16],
    ['shared', '100.64.0.0', 10], // carrier-grade NAT, RFC 6598
    ['link-local', '169.254.0.0', 16],
  ] as const
).map(([scope, text, bits]) => ({ scope, net: ip4Number({ family: 4, text }), mask: -1 << (32 - bits) }))

function blockList(...ranges: Array<[net: string, bits: number]>): BlockList {
  const list = new BlockList()
  for (const [net, bits] of ranges) {
    list.addSubnet(net, bits, 'ipv6')
  }
  return list
}

const SPECIAL_6 = blockList(
  ['2001::', 23], // IETF protocol assignments with Teredo and ORCHID, RFC 2928
  ['2001:db8::', 32], // documentation, RFC 3849
  ['2002::', 16], // 6to4: an IPv4 address inside, RFC 3056
  ['3fff::', 20], // documentation, RFC 9637
  ['fe80::', 10], // link-local needs a zone, and a zone means nothing on another machine
)
const GLOBAL_UNICAST_6 = blockList(['2000::', 3])

const SCOPES_6: ReadonlyArray<readonly [Scope, BlockList]> = [
  ['special', SPECIAL_6],
  ['loopback', blockList(['::1', 128])],
  ['unique-local', blockList(['fc00::', 7])],
]

/** The eight 16-bit groups of text that `isIP` called IPv6. */
function ip6Groups(text: string): number[] {
  const [head = '', tail] = text.split('::') as [string, string?]
  const left = groupsOf(head)
  if (tail === undefined) {
    return left
  }
  const right = groupsOf(tail)
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right]
}

function groupsOf(part: string): number[] {
  if (part === '') {
    return []
  }
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) {
      return [Number.parseInt(group, 16)]
    }
    const [a, b, c, d] = group.split('.').map(Number) as [number, number, number, number]
    return [(a << 8) | b, (c << 8) | d]
  })
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups becomes `::`. */
function formatIp6(groups: readonly number[]): string {
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high, low] = [groups[6]!, groups[7]!]
    return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  }
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groups[end] === 0) {
      end++
    }
    if (end - i > length) {
      start = i
      length = end - i
    }
    i = Math.max(i, end)
  }
  const hex = groups.map((group) => group.toString(16))
  return start < 0 ? hex.join(':') : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}
