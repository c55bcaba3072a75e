import { DEFAULT_TTL_MS, MAX_ADDRESSES, MAX_LIMIT, MAX_NETWORK_BYTES, MAX_TTL_MS, MIN_TTL_MS } from '../peer/limits.ts'
import { isObject, jsonValue, utf8Text } from './json.ts'

/*
 * The messages of `/bootstrap/1.0.0`, bytes to values and back. Pure: no state, no clock, no network.
 * The protocol is specified in `docs/protocol.md`. Times to live are ms in values and seconds in the text.
 */

/** The protocol's name on the wire. */
export const BOOTSTRAP_PROTOCOL = '/bootstrap/1.0.0'

/** The most bytes of a line, its line end not counted. */
export const MAX_LINE_BYTES = 8192

/** One request: addresses to register (none: it only asks), and how the answer should be. */
export interface BootstrapRequest {
  /** As they came, not yet read. */
  readonly addresses: readonly string[]
  /** `''` when the request names none. */
  readonly network: string
  /** Clamped to {@link MIN_TTL_MS} and {@link MAX_TTL_MS}; 0 removes. */
  readonly ttlMs: number
  /** How many peers to answer with; undefined when the request does not say. */
  readonly limit: number | undefined
  readonly explain: boolean
  /** Whether the answer has the peers of the original program's wire, too. */
  readonly legacy: boolean
}

/** Why a request could not be answered. The set is closed; readers treat all codes that they do not know alike. */
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

/** A request that could not be read or served. `message` is for a person. */
export interface Fault {
  readonly code: ErrorCode
  readonly message: string
  /** Seconds to wait before asking again. */
  readonly retryAfter?: number
}

/** A peer of an answer. */
export interface PeerRecord {
  /** Multiaddrs with `/p2p`, the one of the caller's address family first. At least one. */
  readonly addresses: readonly string[]
  /** True when it was not dialed back (a closed network that lists what registers). */
  readonly unverified?: boolean
  /** True for a peer of the original program's wire: `host:port`, without a PeerId. */
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

/** What an answer to `explain` says in addition to the peers. */
export interface Explanation {
  /** The address the node sees the caller at, a multiaddr. */
  readonly observed: string
  readonly registrations: readonly ExplainedOutcome[]
  /** Other bootstraps of the same operator, multiaddrs with `/p2p`; left out when there are none. */
  readonly bootstraps?: readonly string[]
}

/** The request that a stream without a line makes. */
export const ASK: BootstrapRequest = {
  addresses: [],
  network: '',
  ttlMs: DEFAULT_TTL_MS,
  limit: undefined,
  explain: false,
  legacy: false,
}

/** Reads one line without its line end. Any bytes give a request or a fault. */
export function decodeRequest(line: Uint8Array): BootstrapRequest | Fault {
  const text = utf8Text(line)
  if (text === undefined) {
    return { code: 'invalid_utf8', message: 'the line is not UTF-8' }
  }
  const value = jsonValue(text)
  if (value === undefined) {
    const bom = text.startsWith('\ufeff') ? ' (it begins with a byte order mark)' : ''
    return { code: 'invalid_json', message: `the line is not JSON${bom}` }
  }
  return readRequest(value)
}

export function isFault(value: object): value is Fault {
  return 'code' in value
}

/** A peer as it is written in an answer. ASCII, so that its length is its bytes. */
export type EncodedPeer = string & { readonly encoded: unique symbol }

// Addresses are canonical multiaddrs: ASCII without anything that JSON escapes. So they are joined, not stringified.
export function encodePeer({ addresses, unverified, legacy }: PeerRecord): EncodedPeer {
  const all = addresses.length > 1 ? `,"addresses":["${addresses.join('","')}"]` : ''
  const flags = `${unverified ? ',"verified":false' : ''}${legacy ? ',"legacy":true' : ''}`
  return `{"address":"${addresses[0]}"${all}${flags}}` as EncodedPeer
}

/** `[{"address":…},…]`, one line. The bare array is frozen: it will never hold anything but peer records. */
export function encodePeers(peers: readonly EncodedPeer[]): string {
  return `[${peers.join(',')}]\n`
}

/** `{"peers":[…],"observed":…,"registrations":[…]}`, one line, with `"error"` when there is a fault. */
export function encodeExplained(peers: readonly EncodedPeer[], explanation: Explanation, fault?: Fault): string {
  const rest = JSON.stringify(fault === undefined ? explanation : { ...explanation, error: fault })
  return `{"peers":[${peers.join(',')}],${rest.slice(1)}\n`
}

/** `{"error":{…}}`, one line. A fault that is not the caller's comes with `peers`: a newcomer still needs them. */
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
 * Adds what an object says to what the objects before it said. Members are read by name, and JSON.parse makes
 * `__proto__` an ordinary member, so it has no effect.
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
    ttlMs: ttl === undefined ? before.ttlMs : ttl === 0 ? 0 : Math.min(Math.max(ttl * 1000, MIN_TTL_MS), MAX_TTL_MS),
    limit: limit === undefined ? before.limit : Math.min(limit, MAX_LIMIT),
    explain: explain ?? before.explain,
    legacy: legacy ?? before.legacy,
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function invalid(message: string): Fault {
  return { code: 'invalid_request', message }
}
