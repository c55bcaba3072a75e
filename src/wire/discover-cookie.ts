import { crc32 } from 'node:zlib'

/**
 * How far a caller has read, as the cookie of its last DISCOVER says it. A caller can read its cookie and make up
 * others: a cookie can only show its holder more or less of what every caller is shown.
 */
export interface DiscoverCookie {
  /** Which run of the program gave it: each run counts versions from 0. 32 bits. */
  readonly epoch: number
  readonly upTo: number
  /** Undefined when the round-robin reading is over. */
  readonly turn: number | undefined
  readonly version: number
}

/**
 * A cookie for a namespace; without one, for all. Base64url, since rust-libp2p's client reads a cookie as 8 bytes and a
 * UTF-8 text, and fails when it is not.
 */
export function encodeCookie({ epoch, upTo, turn, version }: DiscoverCookie, ns: string | undefined): Uint8Array {
  const bytes = Buffer.alloc(COOKIE_BYTES)
  bytes.writeUInt32BE(epoch, 4)
  bytes.writeUIntBE(upTo, 8, 6)
  bytes.writeUInt32BE(turn === undefined ? OVER : turn, 14)
  bytes.writeUIntBE(version, 18, 6)
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
  return {
    epoch: bytes.readUInt32BE(4),
    upTo: bytes.readUIntBE(8, 6),
    turn: turn === OVER ? undefined : turn,
    version: bytes.readUIntBE(18, 6),
  }
}

const COOKIE_BYTES = 24
/** Never a turn: no group has as many members. */
const OVER = 0xffff_ffff

/** Covers the namespace, so that a cookie is refused in another one. That of all namespaces is none of theirs. */
function checksum(bytes: Buffer, ns: string | undefined): number {
  return crc32(bytes.subarray(4), crc32(ns === undefined ? 'all' : `of ${ns}`))
}
