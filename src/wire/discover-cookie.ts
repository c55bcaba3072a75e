// The cookie of a DISCOVER: the place up to which a reader has read.

import { crc32 } from 'node:zlib'

/**
 * How far a caller has read, as the cookie of its last DISCOVER says it. A caller can read its cookie and make up
 * others: a cookie can only show its holder more or less of what every caller is shown.
 */
export type DiscoverCookie = {
  /** Which run of the program gave it: each run counts versions from 0. 32 bits. */
  readonly epoch: number
  /** The version up to which all was read, or is being read by turns. Six bytes, as places and offsets. */
  readonly upTo: number
} & (
  | {
      /** Where the reader is in the turns. Four bytes. */
      readonly turn: number
      /** Where on the ring it began, and how far it has come. */
      readonly start: number
      readonly offset: number
    }
  /** The reading by turns is over. */
  | { readonly turn: undefined }
)

/**
 * A cookie for a namespace; without one, for all. Base64url, since rust-libp2p's client reads a cookie as 8 bytes and a
 * UTF-8 text, and fails when it is not.
 */
export function encodeCookie(cookie: DiscoverCookie, ns: string | undefined): Uint8Array {
  const { turn, start, offset } = cookie.turn === undefined ? { turn: OVER, start: 0, offset: 0 } : cookie
  const bytes = Buffer.alloc(COOKIE_BYTES)
  bytes.writeUInt32BE(cookie.epoch, 4)
  bytes.writeUIntBE(cookie.upTo, 8, 6)
  bytes.writeUInt32BE(turn, 14)
  bytes.writeUIntBE(start, 18, 6)
  bytes.writeUIntBE(offset, 24, 6)
  bytes.writeUInt32BE(checksum(bytes, ns), 0)
  return Buffer.from(bytes.toString('base64url'), 'latin1')
}

/** Undefined when it is no cookie of this program, or one for another namespace. */
export function decodeCookie(cookie: Uint8Array, ns: string | undefined): DiscoverCookie | undefined {
  const text = Buffer.from(cookie).toString('latin1')
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== COOKIE_BYTES || bytes.toString('base64url') !== text) {
    return undefined
  }
  if (bytes.readUInt32BE(0) !== checksum(bytes, ns)) {
    return undefined
  }
  const turn = bytes.readUInt32BE(14)
  const [epoch, upTo] = [bytes.readUInt32BE(4), bytes.readUIntBE(8, 6)]
  return turn === OVER
    ? { epoch, upTo, turn: undefined }
    : { epoch, upTo, turn, start: bytes.readUIntBE(18, 6), offset: bytes.readUIntBE(24, 6) }
}

const COOKIE_BYTES = 30
/** Never a turn: no group has as many members. */
const OVER = 0xffff_ffff

/** Covers the namespace, so that a cookie is refused in another one. That of all namespaces is none of theirs. */
function checksum(bytes: Buffer, ns: string | undefined): number {
  return crc32(bytes.subarray(4), crc32(ns === undefined ? 'all' : `of ${ns}`))
}
