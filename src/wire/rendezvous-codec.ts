import { MAX_ENVELOPE_BYTES, MAX_LIMIT, MAX_NETWORK_BYTES } from '../peer/limits.ts'
import { utf8Text } from './json.ts'
import {
  encodeFields,
  type Field,
  type Fields,
  encodedLength as lengthOf,
  ProtobufError,
  readFields,
} from './protobuf.ts'
import {
  type FaultCode,
  MAX_COOKIE_BYTES,
  MAX_MESSAGE_BYTES,
  type MessageFault,
  type MessageType,
  type Register,
  type RendezvousMessage,
  STATUS,
  type Status,
} from './rendezvous-messages.ts'

/*
 * Bytes to messages of `/rendezvous/1.0.0` and back, in the encoding of proto2. Pure: no state, no clock, no network.
 * It does not verify records and cookies. Times to live are ms in messages and whole seconds in bytes.
 */

/** Reads one message without its length prefix. Any bytes give a message or a fault. */
export function decodeMessage(bytes: Uint8Array): RendezvousMessage | MessageFault {
  const type = typeOf(bytes)
  try {
    if (bytes.length > MAX_MESSAGE_BYTES) {
      throw new Fault('message_too_long')
    }
    return readMessage(bytes)
  } catch (err) {
    if (err instanceof Fault) {
      return { fault: err.code, type }
    }
    if (err instanceof ProtobufError) {
      return { fault: 'not_protobuf', type }
    }
    throw err
  }
}

export function isMessageFault(value: RendezvousMessage | MessageFault): value is MessageFault {
  return 'fault' in value
}

/** The type of a message by its first two bytes, where every writer puts it. The rest may be missing. */
export function typeOf(bytes: Uint8Array): MessageType | undefined {
  const [first, second = -1] = bytes
  return first === REGISTER_FIELD ? 'REGISTER' : first === TYPE_FIELD ? TYPES[second] : undefined
}

/** One message, without its length prefix. */
export function encodeMessage(message: RendezvousMessage): Uint8Array {
  const number = TYPES.indexOf(message.type)
  return encodeFields([1, number], [BODIES[number]!, bodyOf(message)])
}

/** The bytes that a registration adds to an answer, its field's header included. */
export function encodedLength(registration: Register): number {
  return lengthOf([[1, registerOf(registration)]])
}

/** By their number. */
const TYPES = ['REGISTER', 'REGISTER_RESPONSE', 'UNREGISTER', 'DISCOVER', 'DISCOVER_RESPONSE'] as const
/** The field of the part that each type requires. */
const BODIES = [2, 3, 4, 5, 6] as const
const TYPE_FIELD = 0x08
/** A proto3 writer omits a 0, so that its REGISTER has no type; the default of proto2 is 0 as well. */
const REGISTER_FIELD = 0x12

function bodyOf(message: RendezvousMessage): Fields {
  switch (message.type) {
    case 'REGISTER':
      return registerOf(message)
    case 'REGISTER_RESPONSE':
      return [
        [1, STATUS[message.status]],
        [2, message.statusText],
        [3, secondsOf(message.ttlMs)],
      ]
    case 'UNREGISTER':
      return [[1, message.ns]]
    case 'DISCOVER':
      return [
        [1, message.ns],
        [2, message.limit],
        [3, message.cookie],
      ]
    case 'DISCOVER_RESPONSE':
      return [
        ...message.registrations.map((each) => [1, registerOf(each)] as const),
        [2, message.cookie],
        [3, STATUS[message.status]],
        [4, message.statusText],
      ]
  }
}

function registerOf({ ns, signedPeerRecord, ttlMs }: Register): Fields {
  return [
    [1, ns],
    [2, signedPeerRecord],
    [3, secondsOf(ttlMs)],
  ]
}

function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000)
}

class Fault extends Error {
  readonly code: FaultCode

  constructor(code: FaultCode) {
    super(code)
    this.code = code
  }
}

function readMessage(bytes: Uint8Array): RendezvousMessage {
  const fields = [...readFields(bytes)]
  const number = numberOf(fields, 1) ?? 0
  const body = bytesOf(fields, BODIES[number] ?? 0)
  if (body === undefined) {
    throw new Fault('message_incomplete')
  }
  const parts = [...readFields(body)]
  switch (TYPES[number]!) {
    case 'REGISTER':
      return { type: 'REGISTER', ...readRegister(parts) }
    case 'REGISTER_RESPONSE':
      return {
        type: 'REGISTER_RESPONSE',
        status: readStatus(parts, 1),
        statusText: looseText(parts, 2),
        ttlMs: readTtl(parts, 3),
      }
    case 'UNREGISTER':
      return { type: 'UNREGISTER', ns: readNamespace(parts) }
    case 'DISCOVER':
      return { type: 'DISCOVER', ns: readNamespace(parts), limit: numberOf(parts, 2), cookie: readCookie(parts, 3) }
    case 'DISCOVER_RESPONSE':
      return {
        type: 'DISCOVER_RESPONSE',
        registrations: readRegistrations(parts),
        cookie: readCookie(parts, 2),
        status: readStatus(parts, 3),
        statusText: looseText(parts, 4),
      }
  }
}

function readRegister(fields: readonly Field[]): Register {
  const signedPeerRecord = bytesOf(fields, 2)
  if (signedPeerRecord !== undefined && signedPeerRecord.length > MAX_ENVELOPE_BYTES) {
    throw new Fault('record_too_long')
  }
  return { ns: readNamespace(fields), signedPeerRecord, ttlMs: readTtl(fields, 3) }
}

function readRegistrations(fields: readonly Field[]): Register[] {
  const all = fields.filter(({ number, type }) => number === 1 && type === 'bytes')
  if (all.length > MAX_LIMIT) {
    throw new Fault('too_many_registrations')
  }
  return all.map(({ value }) => readRegister([...readFields(value as Uint8Array)]))
}

function readNamespace(fields: readonly Field[]): string | undefined {
  const bytes = bytesOf(fields, 1)
  if (bytes === undefined) {
    return undefined
  }
  const text = bytes.length <= MAX_NETWORK_BYTES ? utf8Text(bytes) : undefined
  if (text === undefined) {
    throw new Fault('namespace_invalid')
  }
  return text
}

function readCookie(fields: readonly Field[], number: number): Uint8Array | undefined {
  const cookie = bytesOf(fields, number)
  if (cookie !== undefined && cookie.length > MAX_COOKIE_BYTES) {
    throw new Fault('cookie_too_long')
  }
  return cookie
}

/** An unknown status reads as `E_INTERNAL_ERROR`, an absent one as `OK`, the default of proto2. */
function readStatus(fields: readonly Field[], field: number): Status {
  const wanted = numberOf(fields, field) ?? 0
  const known = Object.entries(STATUS).find(([, number]) => number === wanted)
  return known === undefined ? 'E_INTERNAL_ERROR' : (known[0] as Status)
}

/** A text for a person only, so invalid UTF-8 is replaced rather than refused. */
function looseText(fields: readonly Field[], number: number): string | undefined {
  const bytes = bytesOf(fields, number)
  return bytes === undefined ? undefined : Buffer.from(bytes.subarray(0, MAX_STATUS_TEXT_BYTES)).toString()
}

const MAX_STATUS_TEXT_BYTES = 512

/** When a field is there more than once, the last one counts, by the specification of the encoding. */
function bytesOf(fields: readonly Field[], number: number): Uint8Array | undefined {
  const field = fields.findLast((each) => each.number === number && each.type === 'bytes')
  return field?.value as Uint8Array | undefined
}

function numberOf(fields: readonly Field[], number: number): number | undefined {
  const field = fields.findLast((each) => each.number === number && each.type === 'varint')
  return field?.value as number | undefined
}

/** Ms of a field in seconds. */
function readTtl(fields: readonly Field[], number: number): number | undefined {
  const seconds = numberOf(fields, number)
  return seconds === undefined ? undefined : seconds * 1000
}
