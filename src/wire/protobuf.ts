/*
 * The part of the Protocol Buffers encoding that small messages need, bytes to values and back. Pure, and strict about
 * lengths: a length allocates nothing before the bytes are there.
 */

/** A field of a message. Fixed-width values are skipped. */
export type Field = { readonly number: number } & (
  | { readonly type: 'varint'; readonly value: number }
  | { readonly type: 'bytes'; readonly value: Uint8Array }
)

/** Thrown for bytes that are no message. */
export class ProtobufError extends Error {
  override name = 'ProtobufError'
}

/** The longest varint: 64 bits, 7 a byte. */
export const MAX_VARINT_BYTES = 10

/** The fields of a message in their order. Throws {@link ProtobufError}. Values are views of the bytes, not copies. */
export function* readFields(bytes: Uint8Array): Generator<Field, undefined> {
  let at = 0
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    at = tag.end
    const number = Math.floor(tag.value / 8)
    if (number === 0) {
      throw new ProtobufError('a field has the number 0')
    }
    switch (tag.value % 8) {
      case VARINT: {
        const { value, end } = readVarint(bytes, at)
        at = end
        yield { number, type: 'varint', value }
        break
      }
      case BYTES: {
        const { value: length, end } = readVarint(bytes, at)
        at = end + length
        if (at <= bytes.length) {
          yield { number, type: 'bytes', value: bytes.subarray(end, at) }
        }
        break
      }
      case FIXED_64:
        at += 8
        break
      case FIXED_32:
        at += 4
        break
      default:
        throw new ProtobufError('a field has an unknown wire type')
    }
  }
  if (at > bytes.length) {
    throw new ProtobufError('the message ends inside a field')
  }
}

/** A varint and where it ends. A value beyond 2^53 - 1 reads as that. Throws {@link ProtobufError}. */
export function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let at = start; at < bytes.length && at - start < MAX_VARINT_BYTES; at++) {
    const byte = bytes[at]!
    value += (byte & 0x7f) * 2 ** (7 * (at - start))
    if (byte < 0x80) {
      return { value: Math.min(value, Number.MAX_SAFE_INTEGER), end: at + 1 }
    }
  }
  throw new ProtobufError(
    bytes.length - start < MAX_VARINT_BYTES ? 'the message ends inside a number' : 'a number has more than 64 bits',
  )
}

export function encodeVarint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value))
  writeVarint(value, bytes, 0)
  return bytes
}

/** Fields in their order. A number is a varint, a text is UTF-8, fields are a message of their own, undefined is omitted. */
export type Fields = ReadonlyArray<readonly [number: number, value: number | string | Uint8Array | Fields | undefined]>

/** A message in one piece: an answer of half a megabyte is copied once. */
export function encodeFields(...fields: Fields): Uint8Array {
  const bytes = Buffer.allocUnsafe(encodedLength(fields))
  write(fields, bytes, 0)
  return bytes
}

/** The bytes that fields take. */
export function encodedLength(fields: Fields): number {
  let length = 0
  for (const [number, value] of fields) {
    if (value === undefined) {
      continue
    }
    length += varintLength(number * 8)
    if (typeof value === 'number') {
      length += varintLength(value)
    } else {
      const inner = lengthOf(value)
      length += varintLength(inner) + inner
    }
  }
  return length
}

/** Returns where it ends. */
function write(fields: Fields, bytes: Buffer, start: number): number {
  let at = start
  for (const [number, value] of fields) {
    if (value === undefined) {
      continue
    }
    if (typeof value === 'number') {
      at = writeVarint(value, bytes, writeVarint(number * 8 + VARINT, bytes, at))
      continue
    }
    at = writeVarint(lengthOf(value), bytes, writeVarint(number * 8 + BYTES, bytes, at))
    if (typeof value === 'string') {
      at += bytes.write(value, at)
    } else if (value instanceof Uint8Array) {
      bytes.set(value, at)
      at += value.length
    } else {
      at = write(value, bytes, at)
    }
  }
  return at
}

function lengthOf(value: string | Uint8Array | Fields): number {
  if (typeof value === 'string') {
    return Buffer.byteLength(value)
  }
  return value instanceof Uint8Array ? value.length : encodedLength(value)
}

function varintLength(value: number): number {
  let length = 1
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) {
    length++
  }
  return length
}

function writeVarint(value: number, bytes: Uint8Array, start: number): number {
  let at = start
  let left = value
  for (; left >= 0x80; left = Math.floor(left / 0x80)) {
    bytes[at++] = (left % 0x80) | 0x80
  }
  bytes[at++] = left
  return at
}

const VARINT = 0
const FIXED_64 = 1
const BYTES = 2
const FIXED_32 = 5
