// Entries of `peers.json` and of the journal: values to JSON text and back.

import { hostPort, parseAddress } from '../../peer/address.ts'
import { DEFAULT_TTL_MS, MAX_ENVELOPE_BYTES, MAX_NETWORK_BYTES, MAX_TTL_MS } from '../../peer/limits.ts'
import { canonicalPeerId } from '../../peer/peer-id.ts'
import {
  keyText,
  type RegistrationKey,
  type RegistrationRecord,
  type StaticEntry,
  type StaticRegistration,
} from '../../registry/registration.ts'
import type { Contents } from '../store.ts'
import { isoTime } from './iso-time.ts'

/**
 * An entry of `peers.json` as JSON text: the original's `address`, and our further members, which its reader ignores.
 * The journal's puts have the same shape. `writtenAt`: when the list that it is a line of was begun, ISO 8601; the journal
 * has none.
 */
export function encodeRecord(record: RegistrationRecord, writtenAt?: string): string {
  // Registrations of the original's wire name no peer; they are written as the original wrote them.
  const isLegacy = record.peerId === ''
  const address = JSON.stringify(isLegacy ? hostPort(record.address) : `${record.address}/p2p/${record.peerId}`)
  const network = record.network === '' ? '' : `,"network":${JSON.stringify(record.network)}`
  const proved = record.provedAt > 0 ? `,"provedAt":"${isoTime(record.provedAt)}"` : ''
  const { envelope } = record
  const signed = envelope === undefined ? '' : `,"signedPeerRecord":"${Buffer.from(envelope).toString('base64')}"`
  const written = writtenAt === undefined ? '' : `,"writtenAt":"${writtenAt}"`
  return `{"address":${address}${network}${isLegacy ? ',"legacy":true' : ''},"registeredAt":"${isoTime(record.registeredAt)}"${proved},"expiresAt":"${isoTime(record.expiresAt)}"${signed}${written}}`
}

export function encodeStatic(entry: StaticEntry): string {
  return JSON.stringify(entry.json)
}

/** The contents of a list. */
export interface DecodedList extends Pick<Contents, 'statics'> {
  /** By {@link keyText}. */
  readonly records: Map<string, RegistrationRecord>
  /** Entries that cannot be used, by their position; registrations among them are left out. */
  readonly useless: ReadonlyArray<{ readonly index: number; readonly json: unknown }>
  /**
   * The oldest time, in ms, at which a list was begun that one of the registrations is a line of; undefined where none says
   * so. What was registered before that was in the list that the operator edited.
   */
  readonly writtenAt: number | undefined
}

/**
 * Reads a list by the rules of the wire protocol. Of two registrations with the same key the last counts, of two equal
 * static entries the first. Expired registrations are included: a later line of the journal may be about them. Throws,
 * naming the position, when the file is no list. `isOurs`: the bytes are exactly those of {@link encodeRecord}.
 */
export function decodeList(bytes: Buffer, now: number, isOurs = false): DecodedList {
  const records = new Map<string, RegistrationRecord>()
  const statics = new Map<string, StaticEntry>()
  const useless: Array<DecodedList['useless'][number]> = []
  let index = -1
  let writtenAt: number | undefined
  let lastMark: unknown
  for (const json of isOurs ? parseLines(bytes) : parseArray(bytes)) {
    index += 1
    if (isDynamic(json)) {
      if (json.writtenAt !== lastMark) {
        lastMark = json.writtenAt
        writtenAt = Math.min(writtenAt ?? Number.POSITIVE_INFINITY, decodeTime(lastMark) ?? Number.POSITIVE_INFINITY)
      }
      const record = decodeRecord(json, now, isOurs)
      if (record === undefined) {
        useless.push({ index, json })
      } else {
        records.set(keyText(record), record)
      }
    } else {
      const registration = decodeStatic(json)
      if (registration === undefined) {
        useless.push({ index, json })
      }
      // Also checks that it can be written again: an entry nested too deep for that would stop every snapshot.
      const text = JSON.stringify(json)
      const key = registration === undefined ? text : staticKeyText(registration)
      if (!statics.has(key)) {
        statics.set(key, { json, registration })
      }
    }
  }
  return {
    records,
    statics: [...statics.values()],
    useless,
    writtenAt: writtenAt === Number.POSITIVE_INFINITY ? undefined : writtenAt,
  }
}

function parseArray(bytes: Buffer): readonly unknown[] {
  const text = bytes.toString()
  // Editors on Windows write a byte order mark, which JSON.parse does not take.
  const json: unknown = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text)
  // Go writes a nil slice as null.
  const entries = json ?? []
  if (!Array.isArray(entries)) {
    throw new SyntaxError('expected a JSON array of peers')
  }
  return entries
}

/**
 * Reads a list that this program wrote, an entry a line: a million entries as text and as objects at once fill the
 * heap.
 */
function* parseLines(bytes: Buffer): Generator<unknown, undefined> {
  // From the line after the opening bracket to that of the closing one.
  let start = bytes.indexOf(LF) + 1
  while (start < bytes.length && bytes[start] !== CLOSING_BRACKET) {
    const end = bytes.indexOf(LF, start)
    yield JSON.parse(bytes.toString('utf8', start, bytes[end - 1] === COMMA ? end - 1 : end))
    start = end + 1
  }
}

const [LF, COMMA, CLOSING_BRACKET] = [10, 44, 93]

/** Returns undefined when it is no valid registration. Impossible times are corrected: no proof is in the future. */
export function decodeRecord(
  json: Readonly<Record<string, unknown>>,
  now: number,
  isOurs = false,
): RegistrationRecord | undefined {
  const text = json.address
  const network = decodeNetwork(json.network)
  const parsed = typeof text === 'string' ? parseAddress(text) : undefined
  if (network === undefined || typeof parsed !== 'object' || !parsed.address) {
    return undefined
  }
  // Reading the PeerIds would be a quarter of the time of a start.
  const peerId = isOurs || parsed.peerId === undefined ? (parsed.peerId ?? '') : canonicalPeerId(parsed.peerId)
  if (peerId === undefined || (peerId === '' && (json.legacy !== true || network !== ''))) {
    return undefined
  }
  const envelope = decodeEnvelope(json.signedPeerRecord)
  return {
    network,
    peerId,
    address: parsed.address.text,
    registeredAt: Math.min(decodeTime(json.registeredAt) ?? now, now),
    expiresAt: Math.min(decodeTime(json.expiresAt) ?? now + DEFAULT_TTL_MS, now + MAX_TTL_MS),
    provedAt: Math.min(decodeTime(json.provedAt) ?? 0, now),
    ...(envelope === undefined ? {} : { envelope }),
  }
}

/** Returns undefined when it is no key. */
export function decodeKey(json: unknown): RegistrationKey | undefined {
  if (!isObject(json)) {
    return undefined
  }
  const { network = '', peerId, address } = json
  return typeof network === 'string' && typeof peerId === 'string' && typeof address === 'string'
    ? { network, peerId, address }
    : undefined
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

// A registration that lost its expiry to a damaged disk must not become the operator's: it would never expire.
export function isDynamic(json: unknown): json is Readonly<Record<string, unknown>> {
  return isObject(json) && ['expiresAt', 'registeredAt', 'legacy'].some((member) => Object.hasOwn(json, member))
}

function decodeStatic(json: unknown): StaticRegistration | undefined {
  if (!isObject(json) || typeof json.address !== 'string') {
    return undefined
  }
  const network = decodeNetwork(json.network)
  const parsed = parseAddress(json.address)
  if (network === undefined || typeof parsed !== 'object' || parsed.address === undefined) {
    return undefined
  }
  if (parsed.peerId === undefined) {
    return { network, address: parsed.address.text, peerId: undefined }
  }
  const peerId = canonicalPeerId(parsed.peerId)
  return peerId === undefined ? undefined : { network, address: parsed.address.text, peerId }
}

function staticKeyText({ network, peerId = '', address }: StaticRegistration): string {
  return keyText({ network, peerId, address })
}

export function decodeNetwork(json: unknown): string | undefined {
  const network = json ?? ''
  return typeof network === 'string' && network.isWellFormed() && Buffer.byteLength(network) <= MAX_NETWORK_BYTES
    ? network
    : undefined
}

/** Returns undefined when there is none, or an invalid one: the registration counts without it. */
function decodeEnvelope(json: unknown): Uint8Array | undefined {
  const isBase64 = typeof json === 'string' && json.length <= MAX_ENVELOPE_BASE64 && BASE64.test(json)
  return isBase64 ? Buffer.from(json, 'base64') : undefined
}
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const MAX_ENVELOPE_BASE64 = Math.ceil(MAX_ENVELOPE_BYTES / 3) * 4

function decodeTime(json: unknown): number | undefined {
  const ms = typeof json === 'string' ? Date.parse(json) : Number.NaN
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0)
}
