/**
 * The messages of `/bootstrap/1.0.0`, bytes to values and back. Pure: no state, no clock, no network.
 * The protocol is specified in `docs/protocol.md`.
 */

/** The protocol's name on the wire. */
export const BOOTSTRAP_PROTOCOL = '/bootstrap/1.0.0'

/** The most bytes of a line, its line end not counted. */
export const MAX_LINE_BYTES = 8192
/** The most requests of a stream. */
export const MAX_LINES = 16
/** The most addresses of a request. */
export const MAX_ADDRESSES = 8
/** The most UTF-8 bytes of a network's name; the libp2p rendezvous specification has the same for a namespace. */
export const MAX_NETWORK_BYTES = 255
/** The time to live of a registration that names none, in seconds. The libp2p rendezvous specification's default. */
export const DEFAULT_TTL_S = 7200
/** What a `ttl` is clamped to, in seconds: below, renewals would cost more than they tell; above, nobody would renew. */
export const MIN_TTL_S = 60
export const MAX_TTL_S = 259_200
/** How many peers an answer holds when the request does not say, and at most. */
export const DEFAULT_LIMIT = 250
export const MAX_LIMIT = 1000
/** How long an answer may be in bytes: when the request sets no `limit`, and ever. */
export const DEFAULT_ANSWER_BYTES = 60 * 1024
export const MAX_ANSWER_BYTES = 512 * 1024

/** One request: addresses to register (none: it only asks), and how the answer should be. */
export interface BootstrapRequest {
  /** As they came, not yet read. */
  readonly addresses: readonly string[]
  /** `''` when the request names none. */
  readonly network: string
  /** Seconds, clamped; 0 takes back. */
  readonly ttl: number
  /** How many peers to answer with; undefined when the request does not say. */
  readonly limit: number | undefined
  readonly explain: boolean
  /** Whether to answer with those, too, who registered by the wire of the original. */
  readonly legacy: boolean
}

/** Why a request could not be answered. The set is closed; readers treat codes that they don't know alike. */
export const ERROR_CODES = [
  'invalid_utf8',
  'invalid_json',
  'invalid_request',
  'line_too_long',
  'too_many_lines',
  'timeout',
  'rate_limited',
  'unavailable',
  'internal',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** A request that could not be read or served. `message` is for people. */
export interface Fault {
  readonly code: ErrorCode
  readonly message: string
  /** Seconds to wait before asking again. */
  readonly retryAfter?: number
}

/** A peer of an answer. */
export interface PeerRecord {
  /** Multiaddrs with `/p2p`, the one for the asker's address family first. At least one. */
  readonly addresses: readonly string[]
  /** True when nobody proved it (a closed network that lists what registers). */
  readonly unverified?: boolean
  /** True for one that registered by the wire of the original: `host:port` of nobody known. */
  readonly legacy?: boolean
}

/** What became of one address of a request. */
export interface ExplainedOutcome {
  readonly address: string
  readonly status: 'listed' | 'pending' | 'removed' | 'refused'
  readonly code: string
  readonly message: string
  /** Seconds until the registration ends; null when it has none or never ends. */
  readonly expiresIn: number | null
}

/** What an `explain` answer says beside the peers. */
export interface Explanation {
  /** The address the node sees the caller at, a multiaddr. */
  readonly observed: string
  readonly registrations: readonly ExplainedOutcome[]
  /** Other bootstraps of the same operator, multiaddrs with `/p2p`; left out when there are none. */
  readonly bootstraps?: readonly string[]
}

/** The request that a stream without a byte makes. */
export const ASK: BootstrapRequest = {
  addresses: [],
  network: '',
  ttl: DEFAULT_TTL_S,
  limit: undefined,
  explain: false,
  legacy: false,
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads one line, its line end already gone. Any bytes give a request or a fault. */
export function decodeRequest(line: Uint8Array): BootstrapRequest | Fault {
  let text: string
  try {
    text = utf8.decode(line)
  } catch {
    return { code: 'invalid_utf8', message: 'the line is not UTF-8' }
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const bom = text.startsWith('\ufeff') ? ' (it begins with a byte order mark)' : ''
    return { code: 'invalid_json', message: `the line is not JSON${bom}` }
  }
  return readRequest(value)
}

export function isFault(value: object): value is Fault {
  return 'code' in value
}

/** A peer as it stands in an answer. ASCII, so that its length is its bytes. */
export type EncodedPeer = string & { readonly encoded: unique symbol }

// Addresses are canonical multiaddrs: ASCII without anything that JSON escapes. So they are joined, not stringified.
export function encodePeer({ addresses, unverified, legacy }: PeerRecord): EncodedPeer {
  const all = addresses.length > 1 ? `,"addresses":["${addresses.join('","')}"]` : ''
  const flags = `${unverified ? ',"verified":false' : ''}${legacy ? ',"legacy":true' : ''}`
  return `{"address":"${addresses[0]}"${all}${flags}}` as EncodedPeer
}

/** `[{"address":…},…]`, one line. The bare array is frozen: nothing but peer records will ever stand in it. */
export function encodePeers(peers: readonly EncodedPeer[]): string {
  return `[${peers.join(',')}]\n`
}

/** `{"peers":[…],"observed":…,"registrations":[…]}`, one line; with a fault, that too. */
export function encodeExplained(peers: readonly EncodedPeer[], explanation: Explanation, fault?: Fault): string {
  const rest = JSON.stringify(fault === undefined ? explanation : { ...explanation, error: fault })
  return `{"peers":[${peers.join(',')}],${rest.slice(1)}\n`
}

/** `{"error":{…}}`, one line. `peers` come with a fault that is not the request's own: a newcomer needs them even so. */
export function encodeFault(fault: Fault, peers?: readonly EncodedPeer[]): string {
  const error = JSON.stringify({ error: fault })
  return peers === undefined ? `${error}\n` : `${error.slice(0, -1)},"peers":[${peers.join(',')}]}\n`
}

function readRequest(value: unknown): BootstrapRequest | Fault {
  if (!Array.isArray(value)) {
    return isObject(value) ? readRecord(value, ASK) : invalid('a request is an object or an array of objects')
  }
  let request: BootstrapRequest | undefined
  const stated: Record<string, unknown> = {}
  for (const item of value) {
    if (!isObject(item)) {
      return invalid('an item of the array is not an object')
    }
    for (const option of OPTIONS) {
      if (item[option] !== undefined) {
        if (stated[option] !== undefined && stated[option] !== item[option]) {
          return invalid(`the items disagree on "${option}"`)
        }
        stated[option] = item[option]
      }
    }
    const read = readRecord(item, request ?? ASK)
    if (isFault(read)) {
      return read
    }
    request = read
  }
  return request ?? ASK
}

const OPTIONS = ['network', 'ttl', 'limit', 'explain', 'legacy'] as const

/**
 * Adds what an object says to what the objects before it said. Members are picked by name, and JSON.parse makes
 * `__proto__` a member like any other, so it is inert.
 */
function readRecord(object: Record<string, unknown>, before: BootstrapRequest): BootstrapRequest | Fault {
  const { address, addresses, network, ttl, limit, explain, legacy } = object
  if (address !== undefined && typeof address !== 'string') {
    return invalid('"address" is not a string')
  }
  if (addresses !== undefined && !(Array.isArray(addresses) && addresses.every((each) => typeof each === 'string'))) {
    return invalid('"addresses" is not an array of strings')
  }
  const all = [...before.addresses, ...(address === undefined ? [] : [address]), ...(addresses ?? [])]
  if (all.length > MAX_ADDRESSES) {
    return invalid(`a request names at most ${MAX_ADDRESSES} addresses`)
  }
  if (network !== undefined) {
    if (typeof network !== 'string' || !network.isWellFormed()) {
      return invalid('"network" is not a string of Unicode text')
    }
    if (Buffer.byteLength(network) > MAX_NETWORK_BYTES) {
      return invalid(`"network" is longer than ${MAX_NETWORK_BYTES} bytes`)
    }
  }
  if (ttl !== undefined && !isCount(ttl)) {
    return invalid('"ttl" is not a whole number of seconds')
  }
  if (limit !== undefined && !isCount(limit)) {
    return invalid('"limit" is not a whole number')
  }
  if (explain !== undefined && typeof explain !== 'boolean') {
    return invalid('"explain" is not true or false')
  }
  if (legacy !== undefined && typeof legacy !== 'boolean') {
    return invalid('"legacy" is not true or false')
  }
  return {
    addresses: all,
    network: network ?? before.network,
    ttl: ttl === undefined ? before.ttl : ttl === 0 ? 0 : Math.min(Math.max(ttl, MIN_TTL_S), MAX_TTL_S),
    limit: limit === undefined ? before.limit : Math.min(limit, MAX_LIMIT),
    explain: explain ?? before.explain,
    legacy: legacy ?? before.legacy,
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function invalid(message: string): Fault {
  return { code: 'invalid_request', message }
}
