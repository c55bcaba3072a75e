// The formats of a private key: recognize, decode and encode them.

import { createPrivateKey, type KeyObject } from 'node:crypto'
import {
  generateKeyPairFromSeed,
  privateKeyFromProtobuf,
  privateKeyToProtobuf,
  publicKeyToProtobuf,
} from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'

/**
 * How a private key is encoded.
 *
 * - `protobuf`: the raw libp2p protobuf (`ipfs key export`, rust-libp2p's `to_protobuf_encoding`)
 * - `base64`: the same in base64 (`Identity.PrivKey` of kubo's config, rust-libp2p's keygen)
 * - `lodestar`: `peer-id.json`, an object of `id`, `pubKey` and `privKey`
 * - `pem`: PKCS#8, Ed25519 only (OpenSSL)
 */
export const IDENTITY_FORMATS = ['protobuf', 'base64', 'lodestar', 'pem'] as const
export type IdentityFormat = (typeof IDENTITY_FORMATS)[number]

/** The bytes, or the key, do not fit the format. The message says how, and never holds any of the bytes. */
export class IdentityFormatError extends Error {
  override name = 'IdentityFormatError'
  /** `unsupported`: a good key, but not one to be used here, or not in this format. */
  readonly code: 'corrupt' | 'unsupported'

  constructor(code: IdentityFormatError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Encodes `key` in `format`. Throws {@link IdentityFormatError} where the format can't hold the key. */
export function encodeIdentity(key: PrivateKey, format: IdentityFormat): Uint8Array {
  switch (format) {
    case 'protobuf':
      return privateKeyToProtobuf(key)
    case 'base64':
      return Buffer.from(`${base64(privateKeyToProtobuf(key))}\n`)
    case 'lodestar':
      return Buffer.from(`${JSON.stringify(lodestarForm(key), null, 2)}\n`)
    case 'pem':
      return Buffer.from(pemForm(key))
  }
}

/** Decodes a key in any {@link IdentityFormat}. Throws {@link IdentityFormatError}. */
export async function decodeIdentity(bytes: Uint8Array): Promise<PrivateKey> {
  // Field 1, varint: how every libp2p key protobuf begins, and a control character that no text form has.
  const key = bytes[0] === 0x08 ? fromProtobuf(bytes) : await fromText(Buffer.from(bytes).toString('latin1').trim())
  if (key.type !== 'Ed25519' && key.type !== 'secp256k1' && key.type !== 'RSA') {
    throw new IdentityFormatError(
      'unsupported',
      `it is of type ${key.type}, which no PeerId can be made of; use Ed25519`,
    )
  }
  if (!(await signsForItself(key))) {
    throw new IdentityFormatError('corrupt', 'its private half does not belong to its public half')
  }
  return key
}

async function fromText(text: string): Promise<PrivateKey> {
  if (text.startsWith('{')) {
    return fromLodestar(text)
  }
  if (text.startsWith('-----BEGIN')) {
    return fromPem(text)
  }
  const bytes = fromBase64(text)
  if (bytes === undefined) {
    throw new IdentityFormatError(
      'corrupt',
      'it is neither a libp2p protobuf, nor base64 of one, nor a peer-id.json, nor a PEM',
    )
  }
  return fromProtobuf(bytes)
}

function fromProtobuf(bytes: Uint8Array): PrivateKey {
  try {
    return privateKeyFromProtobuf(bytes)
  } catch {
    // The library throws anything from a RangeError to the error of a DER decoder. None of it helps an operator.
    throw new IdentityFormatError('corrupt', 'it does not decode as a libp2p private key')
  }
}

function fromLodestar(text: string): PrivateKey {
  const { id, pubKey, privKey } = parseObject(text)
  const bytes = typeof privKey === 'string' ? fromBase64(privKey) : undefined
  if (bytes === undefined) {
    throw new IdentityFormatError('corrupt', 'its "privKey" is not a base64 string')
  }
  const key = fromProtobuf(bytes)
  const expected = lodestarForm(key)
  if (id !== undefined && id !== expected.id) {
    throw new IdentityFormatError('corrupt', `its "id" is not the PeerId of its "privKey", ${expected.id}`)
  }
  if (pubKey !== undefined && pubKey !== expected.pubKey) {
    throw new IdentityFormatError('corrupt', 'its "pubKey" does not belong to its "privKey"')
  }
  return key
}

function parseObject(text: string): Record<string, unknown> {
  try {
    // It began with a brace, so what parses is an object.
    return JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which is a secret.
    throw new IdentityFormatError('corrupt', 'it begins like a peer-id.json but is not JSON')
  }
}

async function fromPem(text: string): Promise<PrivateKey> {
  if (text.includes('ENCRYPTED')) {
    throw new IdentityFormatError(
      'unsupported',
      'it is encrypted; decrypt it first: openssl pkey -in <encrypted> -out <plain>',
    )
  }
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch {
    throw new IdentityFormatError('corrupt', 'it begins like a PEM but holds no PKCS#8 private key')
  }
  const seed = key.asymmetricKeyType === 'ed25519' ? key.export({ format: 'jwk' }).d : undefined
  if (seed === undefined) {
    throw new IdentityFormatError(
      'unsupported',
      `it is a PEM of type ${key.asymmetricKeyType ?? 'unknown'}; only ed25519 is read`,
    )
  }
  return generateKeyPairFromSeed('Ed25519', Buffer.from(seed, 'base64url'))
}

function pemForm(key: PrivateKey): string {
  if (key.type !== 'Ed25519') {
    throw new IdentityFormatError(
      'unsupported',
      `the format pem is for Ed25519 keys, this one is ${key.type}; use protobuf`,
    )
  }
  const [d, x] = [key.raw.subarray(0, 32), key.raw.subarray(32)].map((half) => Buffer.from(half).toString('base64url'))
  const jwk = { kty: 'OKP', crv: 'Ed25519', d: d!, x: x! }
  return createPrivateKey({ format: 'jwk', key: jwk }).export({ format: 'pem', type: 'pkcs8' }).toString()
}

function lodestarForm(key: PrivateKey): { id: string; pubKey: string; privKey: string } {
  return {
    id: peerIdFromPrivateKey(key).toString(),
    pubKey: base64(publicKeyToProtobuf(key.publicKey)),
    privKey: base64(privateKeyToProtobuf(key)),
  }
}

/** A flipped bit in either half leaves a key that decodes, but that no peer would ever complete a handshake with. */
async function signsForItself(key: PrivateKey): Promise<boolean> {
  const message = Buffer.from('bootstrap-peer')
  try {
    return await key.publicKey.verify(message, await key.sign(message))
  } catch {
    return false
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Strict where Buffer is not: it would skip what it can't read and return half a key. */
function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return text !== '' && bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '') ? bytes : undefined
}
