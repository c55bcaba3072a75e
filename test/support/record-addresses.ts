import { getNetConfig } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import type { Random } from '../../src/base/random.ts'
import { placesOf } from '../../src/peer/record-places.ts'
import { judgeRecord, mayStillBeHandedOut } from '../../src/policy/record-admission.ts'
import { RULES } from './rules.ts'

/** A peer that is where it says, and one that is named by others. */
export const PEER = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
const OTHER_PEER = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const AUTO_TLS_KEY = 'k51qzi5uqu5dhnwe629wdlncpql6frppdpwnz4wtlcw816aysd5wwlk63g4wmh'

/** IPs that it holds, and IPs that it does not. */
export const HELD = ['8.8.8.8', '2a00:1450::1', '10.0.0.5'] as const
export const VICTIMS = ['9.9.9.9', '2a00:1450::99', '10.0.0.9', '192.168.1.1', '169.254.169.254', '100.64.0.1'] as const
const SPECIAL = ['0.0.0.0', '224.0.0.1', '::', '::ffff:9.9.9.9', '64:ff9b::909:909', '2002:909:909::1'] as const

/** Where an address leads: a port at an IP, or anything else, such as a name that is resolved. */
export interface Reading {
  readonly by: string
  readonly ip: string | undefined
  readonly port: number | undefined
}

/** Parts of an address, those with a value as two. Half of them begin as a peer writes them. */
export function randomAddress(random: Random): string {
  const parts = random() < 0.15 ? [] : [...start(random)]
  const extra = Math.floor(random() ** 2 * 6)
  for (let n = 0; n < extra; n++) {
    parts.push(...pick(PARTS, random)(random))
  }
  if (random() < 0.4) {
    parts.push('p2p', random() < 0.8 ? PEER : OTHER_PEER)
  }
  if (random() < 0.05) {
    parts.splice(Math.floor(random() * parts.length), 1)
  }
  return `/${parts.join('/')}`
}

/** Whether a peer at this IP may register a record with this address, and has it handed out beyond its own machine. */
export function isHandedOut(address: string, held: string): boolean {
  const own = `/ip${held.includes(':') ? 6 : 4}/${held}/tcp/4001`
  const record = {
    form: 'standard',
    peerId: PEER,
    seq: 1n,
    addresses: [own, address],
    envelope: new Uint8Array(),
  } as const
  if (typeof judgeRecord(record, new Set([held]), RULES) === 'string') {
    return false
  }
  const places = placesOf(record)
  return places !== undefined && places.scope !== 'loopback' && mayStillBeHandedOut(places, (ip) => ip === held, RULES)
}

/**
 * Where libp2p implementations dial it, as their code has it; not all of them would dial it at all. Go: go-multiaddr's
 * `manet.ToNetAddr`. Rust: `multiaddr_to_socketaddr` of libp2p-tcp 0.45 and libp2p-quic 0.14, `parse_ws_dial_addr` of
 * libp2p-websocket, and libp2p-dns, which resolves a name anywhere. JavaScript: `getNetConfig`, and the name that
 * `@multiformats/multiaddr-to-uri` 12 makes of `/tls/sni/…/ws`.
 */
export function readings(address: string): readonly Reading[] {
  const components = multiaddr(address).getComponents()
  const found: Reading[] = []
  const js = attempt(() => getNetConfig(multiaddr(address)))
  if (js !== undefined) {
    found.push({ by: 'js, getNetConfig', ip: js.type.startsWith('ip') ? js.host : undefined, port: js.port })
  }
  const isSecure = components.some(({ name }) => name === 'tls')
  const sni = components.find(({ name }) => name === 'sni')?.value
  if (isSecure && sni !== undefined) {
    const port = Number(components.find(({ name }) => name === 'tcp')?.value)
    found.push({ by: 'js, multiaddr-to-uri', ip: ipOfAutoTls(sni), port })
  }
  for (const [n, { name, value }] of components.entries()) {
    const next = components[n + 1]
    if (name === 'ip4' || name === 'ip6') {
      if (next?.name === 'tcp' || next?.name === 'udp') {
        // The first pair is what Go takes, and Rust's WebSocket and QUIC; the last is what Rust's TCP takes.
        found.push({ by: 'go and rust, a pair', ip: value, port: Number(next.value) })
      } else {
        found.push({ by: 'an IP without a port', ip: value, port: undefined })
      }
    } else if (ELSEWHERE.has(name)) {
      found.push({ by: `any, ${name}`, ip: undefined, port: undefined })
    }
  }
  return found
}

/** Names, paths and other peers. */
const ELSEWHERE = new Set([
  'dns',
  'dns4',
  'dns6',
  'dnsaddr',
  'unix',
  'p2p-circuit',
  'onion3',
  'garlic64',
  'ip6zone',
  'ipcidr',
])

/** Names below libp2p.direct resolve to the IP in their first label. */
function ipOfAutoTls(name: string): string | undefined {
  const [label = '', key = '', ...zone] = name.split('.')
  if (zone.join('.') !== 'libp2p.direct' || !key.startsWith('k')) {
    return undefined
  }
  return /^\d+-\d+-\d+-\d+$/.test(label) ? label.replaceAll('-', '.') : label.replaceAll('-', ':')
}

type Part = (random: Random) => readonly string[]

const ip: Part = (random) => {
  const where = random()
  const text = pick(where < 0.5 ? HELD : where < 0.9 ? VICTIMS : SPECIAL, random)
  return [text.includes(':') ? 'ip6' : 'ip4', text]
}
const port = (random: Random) => String(pick([4001, 443, 80, 65_535, 30_303, 4001, 4001, 22, 25, 0, 8545], random))
const certhash = (random: Random) => `uEi${pick(['A', 'B'], random)}${'mQ7x_-0bc1d'.repeat(4).slice(0, 43)}`
const label = (random: Random) => pick([...HELD, ...VICTIMS], random).replaceAll(/[.:]/g, '-')
const names: Part = (random) => [
  pick(['dns', 'dns4', 'dns6', 'dnsaddr'], random),
  pick(['victim.example', '9.9.9.9'], random),
]
const sni: Part = (random) => [
  'sni',
  pick(['victim.example', '9.9.9.9', `${label(random)}.${AUTO_TLS_KEY}.libp2p.direct`, 'user@9.9.9.9:22'], random),
]

const PARTS: readonly Part[] = [
  ip,
  ip,
  names,
  sni,
  (random) => ['tcp', port(random)],
  (random) => ['udp', port(random)],
  (random) => [...ip(random), 'tcp', port(random)],
  (random) => [...ip(random), 'udp', port(random), 'quic-v1'],
  (random) => ['tls', ...sni(random), 'ws'],
  (random) => ['p2p', pick([PEER, OTHER_PEER], random), 'p2p-circuit'],
  (random) => ['certhash', certhash(random)],
  (random) => ['p2p', pick([PEER, OTHER_PEER], random)],
  ...['ws', 'wss', 'tls', 'http', 'https', 'quic', 'quic-v1', 'webtransport', 'webrtc-direct', 'webrtc', 'noise'].map(
    (name): Part =>
      () => [name],
  ),
  () => ['unix', 'tmp%2Fsocket'],
  () => ['ip6zone', 'eth0'],
  () => ['ipcidr', '24'],
  () => ['http-path', 'ip4%2F9.9.9.9'],
]

/** What a peer writes, at an IP of its own or of another. */
function start(random: Random): readonly string[] {
  const at = ip(random)
  const [tcp, udp] = [
    [...at, 'tcp', port(random)],
    [...at, 'udp', port(random)],
  ]
  return pick<readonly string[]>(
    [
      tcp,
      tcp,
      tcp,
      [...tcp, 'ws'],
      [...tcp, 'wss'],
      [...tcp, 'tls', 'ws'],
      [...tcp, 'tls', ...sni(random), 'ws'],
      [...tcp, 'tls', 'sni', `${at[1]!.replaceAll(/[.:]/g, '-')}.${AUTO_TLS_KEY}.libp2p.direct`, 'ws'],
      [...udp, 'quic-v1'],
      [...udp, 'quic-v1', 'webtransport', 'certhash', certhash(random), 'certhash', certhash(random)],
      [...udp, 'webrtc-direct', 'certhash', certhash(random)],
    ],
    random,
  )
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random() * items.length)]!
}

function attempt<Value>(act: () => Value): Value | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}

/** What a number of generated addresses came to. */
export interface Tally {
  readonly written: number
  /** Handed out for one of the IPs that are held. */
  readonly handedOut: number
  /** By shape, the values left out. */
  readonly shapes: ReadonlySet<string>
  /** Addresses that are handed out and lead elsewhere, with who dials what. */
  readonly elsewhere: readonly string[]
}

/** Generates addresses, and tells which are handed out and lead anywhere but to a fit port of an IP that is held. */
export function tallyAddresses(count: number, random: Random): Tally {
  let [written, handedOut] = [0, 0]
  const shapes = new Set<string>()
  const elsewhere: string[] = []
  for (let n = 0; n < count; n++) {
    // As it would be after a signature was verified: what is no multiaddr never gets there.
    const text = attempt(() => multiaddr(multiaddr(randomAddress(random)).bytes).toString())
    if (text === undefined) {
      continue
    }
    written++
    for (const held of HELD) {
      if (!isHandedOut(text, held)) {
        continue
      }
      handedOut++
      const components = multiaddr(text).getComponents()
      shapes.add(components.map(({ name }) => name).join('/'))
      const wrong = readings(text).find(
        ({ ip, port = 0 }) => ip !== held || (port < 1024 && port !== 80 && port !== 443),
      )
      if (wrong !== undefined) {
        elsewhere.push(`${text}, held ${held}: ${JSON.stringify(wrong)}`)
      }
    }
  }
  return { written, handedOut, shapes, elsewhere }
}
