import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKeyPair, privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  decodeIdentity,
  encodeIdentity,
  IDENTITY_FORMATS,
  IdentityFormatError,
} from '../../src/identity/key-formats.ts'

const idOf = (key: PrivateKey) => peerIdFromPrivateKey(key).toString()

describe('a key moves between implementations', () => {
  it('in every format, for every type it can have', async () => {
    for (const type of ['Ed25519', 'secp256k1', 'RSA'] as const) {
      const key: PrivateKey = await (type === 'RSA' ? generateKeyPair('RSA', 2048) : generateKeyPair(type as 'Ed25519'))
      for (const format of IDENTITY_FORMATS) {
        if (format === 'pem' && type !== 'Ed25519') {
          assert.throws(() => encodeIdentity(key, format), IdentityFormatError)
          continue
        }
        assert.equal(idOf(await decodeIdentity(encodeIdentity(key, format))), idOf(key), `${type} ${format}`)
      }
    }
  })

  // RFC 8032, 7.1, test 1; its PKCS#8 form was written by OpenSSL 3.
  const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
  const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'

  it('in the bytes that the others write', async () => {
    const key = privateKeyFromRaw(Buffer.from(seed + publicKey, 'hex'))
    const protobuf = Buffer.from(`08011240${seed}${publicKey}`, 'hex')
    assert.deepEqual(Buffer.from(encodeIdentity(key, 'protobuf')), protobuf)
    assert.equal(Buffer.from(encodeIdentity(key, 'base64')).toString(), `${protobuf.toString('base64')}\n`)
    assert.deepEqual(JSON.parse(Buffer.from(encodeIdentity(key, 'lodestar')).toString()), {
      id: idOf(key),
      pubKey: Buffer.from(`08011220${publicKey}`, 'hex').toString('base64'),
      privKey: protobuf.toString('base64'),
    })
    const pem = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex').toString('base64')}\n-----END PRIVATE KEY-----\n`
    assert.equal(Buffer.from(encodeIdentity(key, 'pem')).toString(), pem)
  })

  it('also in the old protobuf that has the public half twice', async () => {
    const old = Buffer.from(`08011260${seed}${publicKey}${publicKey}`, 'hex')
    const key = privateKeyFromRaw(Buffer.from(seed + publicKey, 'hex'))
    assert.equal(idOf(await decodeIdentity(old)), idOf(key))
  })

  it('with the line ending and without the padding that another tool left', async () => {
    const key = await generateKeyPair('secp256k1')
    const text = Buffer.from(encodeIdentity(key, 'base64')).toString().trim()
    for (const variant of [text, `${text}\r\n`, text.replace(/=+$/, '')]) {
      assert.equal(idOf(await decodeIdentity(Buffer.from(variant))), idOf(key))
    }
  })
})

describe('what is not a key is not taken for one:', () => {
  it('a key with a flipped bit, where that makes another identity of it', async () => {
    const key = await generateKeyPair('Ed25519')
    const bytes = Buffer.from(encodeIdentity(key, 'protobuf'))
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const decoded = await decodeIdentity(flipped).catch((error: unknown) => {
        assert(error instanceof IdentityFormatError, String(error))
      })
      // The library overlooks a wrong wire type; the key is then still the same.
      assert(decoded === undefined || decoded.equals(key), `bit ${bit}`)
    }
  })

  it('a peer-id.json whose parts do not belong together', async () => {
    const [one, other] = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('Ed25519')])
    const [mine, theirs] = [one, other].map((key) =>
      JSON.parse(Buffer.from(encodeIdentity(key, 'lodestar')).toString()),
    )
    for (const part of ['id', 'pubKey', 'privKey']) {
      const mixed = JSON.stringify({ ...mine, [part]: theirs[part] })
      await assert.rejects(decodeIdentity(Buffer.from(mixed)), IdentityFormatError, part)
    }
  })
})
