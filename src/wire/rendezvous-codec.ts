import { encodeFields, type Field, ProtobufError, readFields } from './protobuf.ts'
import {
  type FaultCode,
  MAX_COOKIE_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_NAMESPACE_BYTES,
  MAX_RECORD_BYTES,
  MAX_REGISTRATIONS,
  type MessageFault,
  type MessageType,
  type Register,
  type RendezvousMessage,
  STATUS,
  type Status,
} from './rendezvous-messages.ts'

/*
 * Bytes to messages of `/rendezvous/1.0.0` and back, in the encoding of proto2. Pure: no state, no clock, no network,
 * and no judgement of records and cookies.
 */

/** Reads one message, its length prefix already gone. Any bytes give a message or a fault. */
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

/** The type of a message by its first bytes, where every writer puts it; the rest may be missing. */
export function typeOf(bytes: Uint8Array): MessageType | undefined {
  const [first, second = -1] = bytes
  return first === REGISTER_FIELD ? 'REGISTER' : first === TYPE_FIELD ? TYPES[second] : undefined
}

/** One message, without its length prefix. */
export function encodeMessage(message: RendezvousMessage): Uint8Array {
  const number = TYPES.indexOf(message.type)
  return encodeFields([1, number], [BODIES[number]!, encodeBody(message)])
}

/** A registration as it stands in an answer, with its field's header: what an answer grows by. */
export function encodedLength(registration: Register): number {
  return encodeFields([1, encodeRegister(registration)]).length
}

/** By number. */
const TYPES = ['REGISTER', 'REGISTER_RESPONSE', 'UNREGISTER', 'DISCOVER', 'DISCOVER_RESPONSE'] as const
/** The field of the part that a type promises. */
const BODIES = [2, 3, 4, 5, 6] as const
const TYPE_FIELD = 0x08
/** A proto3 writer leaves out what is 0, so that its REGISTER has no type; in proto2 0 is the default as well. */
const REGISTER_FIELD = 0x12

function encodeBody(message: RendezvousMessage): Uint8Array {
  switch (message.type) {
    case 'REGISTER':
      return encodeRegister(message)
    case 'REGISTER_RESPONSE':
      return encodeFields([1, STATUS[message.status]], [2, message.statusText], [3, message.ttl])
    case 'UNREGISTER':
      return encodeFields([1, message.ns])
    case 'DISCOVER':
      return encodeFields([1, message.ns], [2, message.limit], [3, message.cookie])
    case 'DISCOVER_RESPONSE':
      return encodeFields(
        ...message.registrations.map((each) => [1, encodeRegister(each)] as const),
        [2, message.cookie],
        [3, STATUS[message.status]],
        [4, message.statusText],
      )
  }
}

function encodeRegister({ ns, signedPeerRecord, ttl }: Register): Uint8Array {
  return encodeFields([1, ns], [2, signedPeerRecord], [3, ttl])
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
        ttl: numberOf(parts, 3),
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
  if (signedPeerRecord !== undefined && signedPeerRecord.length > MAX_RECORD_BYTES) {
    throw new Fault('record_too_long')
  }
  return { ns: readNamespace(fields), signedPeerRecord, ttl: numberOf(fields, 3) }
}

function readRegistrations(fields: readonly Field[]): Register[] {
  const all = fields.filter(({ number, type }) => number === 1 && type === 'bytes')
  if (all.length > MAX_REGISTRATIONS) {
    throw new Fault('too_many_registrations')
  }
  return all.map(({ value }) => readRegister([...readFields(value as Uint8Array)]))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readNamespace(fields: readonly Field[]): string | undefined {
  const bytes = bytesOf(fields, 1)
  if (bytes === undefined) {
    return undefined
  }
  try {
    if (bytes.length <= MAX_NAMESPACE_BYTES) {
      return utf8.decode(bytes)
    }
  } catch {
    // The same as one that is too long.
  }
  throw new Fault('namespace_invalid')
}

function readCookie(fields: readonly Field[], number: number): Uint8Array | undefined {
  const cookie = bytesOf(fields, number)
  if (cookie !== undefined && cookie.length > MAX_COOKIE_BYTES) {
    throw new Fault('cookie_too_long')
  }
  return cookie
}

/** A status that this version does not know is a failure whose kind nobody knows. An absent one is proto2's default. */
function readStatus(fields: readonly Field[], field: number): Status {
  const wanted = numberOf(fields, field) ?? 0
  const known = Object.entries(STATUS).find(([, number]) => number === wanted)
  return known === undefined ? 'E_INTERNAL_ERROR' : (known[0] as Status)
}

/** For people only, so it is mended rather than refused. */
function looseText(fields: readonly Field[], number: number): string | undefined {
  const bytes = bytesOf(fields, number)
  return bytes === undefined ? undefined : Buffer.from(bytes.subarray(0, MAX_STATUS_TEXT_BYTES)).toString()
}
const MAX_STATUS_TEXT_BYTES = 512

/** Of a field that stands there more than once, the last counts, says the encoding. */
function bytesOf(fields: readonly Field[], number: number): Uint8Array | undefined {
  const field = fields.findLast((each) => each.number === number && each.type === 'bytes')
  return field?.value as Uint8Array | undefined
}

function numberOf(fields: readonly Field[], number: number): number | undefined {
  const field = fields.findLast((each) => each.number === number && each.type === 'varint')
  return field?.value as number | undefined
}
