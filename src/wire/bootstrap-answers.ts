import {
  type ExplainedOutcome,
  type Fault,
  MAX_ADDRESSES,
  MAX_ANSWER_BYTES,
  MAX_LIMIT,
  type PeerRecord,
} from './bootstrap-codec.ts'

/**
 * The answers of `/bootstrap/1.0.0`, as a client reads them. Pure, and it believes nothing: what it returns is bounded
 * and has the right types, but the addresses in it are still text that a stranger wrote.
 */

/** The most sibling bootstraps taken from one answer. */
export const MAX_SIBLINGS = 8

/** One answer. What a bare array cannot say is empty or undefined. */
export interface Answer {
  /** In the order they came. At most {@link MAX_LIMIT} and the caller's own. */
  readonly peers: readonly PeerRecord[]
  /** The address the bootstrap sees the caller at. */
  readonly observed: string | undefined
  /** What became of each address of the request. A status or a code that this version does not know is a refusal. */
  readonly registrations: readonly ExplainedOutcome[]
  /** Other bootstraps that the operator names, multiaddrs with `/p2p`. */
  readonly bootstraps: readonly string[]
  /** Why the bootstrap did not do what was asked; the peers may be there even so. The code may be a new one. */
  readonly error: AnswerError | undefined
}

export interface AnswerError extends Omit<Fault, 'code'> {
  readonly code: string
}

/** Why bytes are not an answer. */
export type AnswerFault = 'answer_too_long' | 'answer_not_utf8' | 'answer_not_json' | 'answer_not_a_list'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads one line, with or without its line end. Any bytes give an answer or a fault; records that make no sense are left out. */
export function decodeAnswer(line: Uint8Array): Answer | AnswerFault {
  if (line.byteLength > MAX_ANSWER_BYTES) {
    return 'answer_too_long'
  }
  let text: string
  try {
    text = utf8.decode(line)
  } catch {
    return 'answer_not_utf8'
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'answer_not_json'
  }
  if (Array.isArray(value)) {
    return { peers: readPeers(value), observed: undefined, registrations: [], bootstraps: [], error: undefined }
  }
  if (!isObject(value)) {
    return 'answer_not_a_list'
  }
  const peers = member(value, 'peers')
  const error = readError(member(value, 'error'))
  if (!Array.isArray(peers) && error === undefined) {
    return 'answer_not_a_list'
  }
  return {
    peers: readPeers(peers),
    observed: boundedText(member(value, 'observed'), MAX_TEXT),
    registrations: readOutcomes(member(value, 'registrations')),
    bootstraps: texts(member(value, 'bootstraps'), MAX_SIBLINGS),
    error,
  }
}

/** The most characters of an address, a code or a message that are looked at. */
const MAX_TEXT = 512

function readPeers(value: unknown): PeerRecord[] {
  return items(value, MAX_LIMIT + 1).flatMap((item) => {
    if (!isObject(item)) {
      return []
    }
    const first = boundedText(member(item, 'address'), MAX_TEXT)
    const all = texts(member(item, 'addresses'), MAX_ADDRESSES)
    const addresses = [...new Set(first === undefined ? all : [first, ...all])].slice(0, MAX_ADDRESSES)
    return addresses.length === 0
      ? []
      : [{ addresses, ...(member(item, 'verified') === false ? { unverified: true } : {}) }]
  })
}

function readOutcomes(value: unknown): ExplainedOutcome[] {
  return items(value, MAX_ADDRESSES).flatMap((item) => {
    const address = isObject(item) ? boundedText(member(item, 'address'), MAX_TEXT) : undefined
    if (!isObject(item) || address === undefined) {
      return []
    }
    const status = member(item, 'status')
    return [
      {
        address,
        status: status === 'listed' || status === 'pending' || status === 'removed' ? status : 'refused',
        code: boundedText(member(item, 'code'), MAX_TEXT) ?? 'unknown',
        message: boundedText(member(item, 'message'), MAX_TEXT) ?? '',
        expiresIn: seconds(member(item, 'expiresIn')) ?? null,
      },
    ]
  })
}

function readError(value: unknown): AnswerError | undefined {
  if (!isObject(value)) {
    return undefined
  }
  const retryAfter = seconds(member(value, 'retryAfter'))
  return {
    code: boundedText(member(value, 'code'), MAX_TEXT) ?? 'unknown',
    message: boundedText(member(value, 'message'), MAX_TEXT) ?? '',
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

function texts(value: unknown, max: number): string[] {
  return items(value, max).flatMap((item) => boundedText(item, MAX_TEXT) ?? [])
}

function items(value: unknown, max: number): unknown[] {
  return Array.isArray(value) ? value.slice(0, max) : []
}

/** By own property only: what an object inherits nobody has sent. */
function member(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function boundedText(value: unknown, max: number): string | undefined {
  return typeof value === 'string' && value.length <= max ? value : undefined
}

function seconds(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
