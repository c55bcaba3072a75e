import { MAX_ADDRESSES, MAX_ANSWER_BYTES, MAX_LIMIT, MAX_SIBLINGS } from '../peer/limits.ts'
import type { ExplainedOutcome, Fault, PeerRecord } from './bootstrap-codec.ts'
import { isObject, jsonValue, member, utf8Text } from './json.ts'

/*
 * The answers of `/bootstrap/1.0.0`, as a client reads them. Pure, and it trusts nothing: what it returns is bounded
 * and has the right types, but the addresses in it are text that a remote peer wrote.
 */

/** One answer. A bare array has only peers; the other members are then empty or undefined. */
export interface Answer {
  /** In the order of the answer. At most {@link MAX_LIMIT}, and one more: the caller's own. */
  readonly peers: readonly PeerRecord[]
  /** The address at which the bootstrap sees the caller. */
  readonly observed: string | undefined
  /** What became of each address of the request. A status or a code that this version does not know is a refusal. */
  readonly registrations: readonly ExplainedOutcome[]
  /** Other bootstraps of its operator, multiaddrs with `/p2p`. */
  readonly bootstraps: readonly string[]
  /** Why the bootstrap did not do what was asked; there may be peers all the same. The code may be a new one. */
  readonly error: AnswerError | undefined
}

export interface AnswerError extends Omit<Fault, 'code'> {
  readonly code: string
}

/** Why bytes are no answer. */
export type AnswerFault = 'answer_too_long' | 'answer_not_utf8' | 'answer_not_json' | 'answer_not_a_list'

/** Reads one line, with or without its line end. Any bytes give an answer or a fault. Skips records that cannot be read. */
export function decodeAnswer(line: Uint8Array): Answer | AnswerFault {
  if (line.byteLength > MAX_ANSWER_BYTES) {
    return 'answer_too_long'
  }
  const text = utf8Text(line)
  if (text === undefined) {
    return 'answer_not_utf8'
  }
  const value = jsonValue(text)
  if (value === undefined) {
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

/** The longest address, code or message that is read, characters. */
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

function boundedText(value: unknown, max: number): string | undefined {
  return typeof value === 'string' && value.length <= max ? value : undefined
}

function seconds(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}
