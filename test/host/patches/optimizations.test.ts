import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { noise } from '@chainsafe/libp2p-noise'
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { LengthPrefixedDecoder } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'
import { joinWrites } from '../../../src/host/patches/joined-writes.ts'
import { noiseCrypto } from '../../../src/host/patches/noise-crypto.ts'
import { patchedNoise } from '../../../src/host/patches/patched-noise.ts'
import { signOnce } from '../../../src/host/patches/sign-once.ts'
import { silentLogger } from '../../../src/host/patches/silent-logger.ts'
import { startPeer } from '../../support/peers.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('X25519 keys that stay key objects', () => {
  it('compute the vectors of RFC 7748, section 5.2', () => {
    const vectors = [
      {
        scalar: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
        u: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
        result: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
      },
      {
        scalar: '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
        u: 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
        result: '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
      },
    ]
    for (const { scalar, u, result } of vectors) {
      const crypto = noiseCrypto()
      const { privateKey } = crypto.generateX25519KeyPairFromSeed(hex(scalar))
      assert.equal(Buffer.from(crypto.generateX25519SharedKey(privateKey, hex(u))).toString('hex'), result)
      // A key it has not seen is imported, as the default does.
      assert.equal(Buffer.from(noiseCrypto().generateX25519SharedKey(hex(scalar), hex(u))).toString('hex'), result)
    }
  })

  it('agree with the default crypto, whichever side made the key', () => {
    const ours = noiseCrypto()
    const seed = hex('11'.repeat(32))
    assert.deepEqual(
      Buffer.from(ours.generateX25519KeyPairFromSeed(seed).publicKey),
      Buffer.from(defaultCrypto.generateX25519KeyPairFromSeed(seed).publicKey),
    )
    for (let i = 0; i < 20; i++) {
      const a = ours.generateX25519KeyPair()
      const b = defaultCrypto.generateX25519KeyPair()
      assert.deepEqual(
        Buffer.from(ours.generateX25519SharedKey(a.privateKey, b.publicKey)),
        Buffer.from(defaultCrypto.generateX25519SharedKey(b.privateKey, a.publicKey)),
      )
    }
  })

  it('derive keys as the default does', () => {
    for (const [ck, ikm] of [
      [hex('00'.repeat(32)), hex('')],
      [hex('ab'.repeat(32)), hex('cd'.repeat(32))],
    ] as const) {
      assert.deepEqual(noiseCrypto().getHKDF(ck, ikm).map(toHex), defaultCrypto.getHKDF(ck, ikm).map(toHex))
    }
  })

  it('seal as the default does, in one piece or many, long or short', () => {
    const [k, nonce] = [hex('ab'.repeat(32)), hex(`00000000${'01'.repeat(8)}`)]
    for (const ad of [new Uint8Array(0), hex('cd'.repeat(32))]) {
      for (const length of [0, 1, 799, 800, 5000, 65_519]) {
        const plain = Buffer.alloc(length, 'plain text ')
        const list = new Uint8ArrayList(plain.subarray(0, length >> 1), plain.subarray(length >> 1))
        const sealed = toHex(defaultCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, k).subarray())
        for (const text of [plain, list]) {
          assert.equal(toHex(noiseCrypto().chaCha20Poly1305Encrypt(text, nonce, ad, k).subarray()), sealed)
        }
      }
    }
  })

  it('refuse a remote key of low order, as the default does', () => {
    const ours = noiseCrypto()
    const zero = new Uint8Array(32)
    assert.throws(() => ours.generateX25519SharedKey(ours.generateX25519KeyPair().privateKey, zero))
    assert.throws(() => defaultCrypto.generateX25519SharedKey(defaultCrypto.generateX25519KeyPair().privateKey, zero))
  })

  it('shake hands with the default in both directions', async () => {
    const ours = await startPeer({ connectionEncrypters: [noise({ crypto: noiseCrypto() })] })
    const stock = await startPeer()
    await stock.dial(ours.getMultiaddrs())
    await stock.hangUp(ours.peerId)
    await ours.dial(stock.getMultiaddrs())
    await Promise.all([ours.stop(), stock.stop()])
  })
})

describe('the signature made once', () => {
  it('is the signature, and a new one for other bytes', async () => {
    const key = await generateKeyPair('Ed25519')
    const once = signOnce(key)
    for (const text of ['static key', 'static key', 'another', 'static key']) {
      const data = Buffer.from(text)
      assert.deepEqual(Buffer.from(await once.sign(data)), Buffer.from(await key.sign(data)))
      assert.ok(await once.publicKey.verify(data, await once.sign(data)))
    }
  })

  it('is made once for the same bytes', async () => {
    const key = await generateKeyPair('Ed25519')
    let signed = 0
    const counting = Object.create(key, {
      sign: {
        value: (data: Uint8Array) => {
          signed++
          return key.sign(data)
        },
      },
    })
    const once = signOnce(counting)
    await once.sign(Buffer.from('static key'))
    await once.sign(Buffer.from('static key'))
    assert.equal(signed, 1)
  })

  it('leaves keys alone whose signatures differ each time', async () => {
    const key = await generateKeyPair('secp256k1')
    assert.equal(signOnce(key), key)
  })
})

describe('joined writes', () => {
  it('send the same bytes in fewer packets', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [far] = (await accepted) as [Socket]
    joinWrites(client)
    const chunks: Buffer[] = []
    far.on('data', (chunk) => chunks.push(chunk))
    for (let i = 0; i < 20; i++) {
      client.write(Buffer.from([i]))
    }
    assert.equal(client.writableLength, 20, 'held until the turn is over')
    client.end()
    await once(far, 'end')
    assert.deepEqual(Buffer.concat(chunks), Buffer.from(Array.from({ length: 20 }, (_, i) => i)))
    assert.equal(chunks.length, 1)
    far.destroy()
    server.close()
  })
})

describe('noise lengths', () => {
  it('read messages that come in pieces, and several at once', async () => {
    const server = await startPeer({ connectionEncrypters: [patchedNoise(new Set())] })
    const client = await startPeer()
    // No two pieces are alike, so that one out of place is seen.
    const sent = Buffer.from(Uint32Array.from({ length: 75_000 }, (_, n) => n).buffer)
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    await server.handle('/sink/1.0.0', (stream) => {
      const received: Buffer[] = []
      let bytes = 0
      stream.addEventListener('message', ({ data }) => {
        received.push(Buffer.from(data.subarray()))
        bytes += data.byteLength
        if (bytes >= sent.byteLength) {
          resolve(Buffer.concat(received))
        }
      })
    })
    const stream = await client.dialProtocol(server.getMultiaddrs(), '/sink/1.0.0')
    // Noise messages have at most 65,535 bytes, a read of a socket 65,536: these come neither whole nor alone.
    for (let i = 0; i < 3000; i++) {
      stream.send(sent.subarray(100 * i, 100 * (i + 1)))
    }
    assert((await promise).equals(sent), 'the same bytes in the same order')
    await Promise.all([server.stop(), client.stop()])
  })

  it('are worth it as long as libp2p makes an error for each message', () => {
    const decoder = new LengthPrefixedDecoder({ lengthDecoder: tooShort, encodingLength: () => 2 })
    assert.deepEqual([...decoder.decode(new Uint8Array(1))], [], 'the error is swallowed')
    assert.equal(errors, 1)
    const quiet = new LengthPrefixedDecoder({ lengthDecoder: () => Number.NaN, encodingLength: () => 2 })
    assert.deepEqual([...quiet.decode(new Uint8Array(1))], [], 'no number means the same')
  })
})

let errors = 0
function tooShort(): number {
  errors++
  throw new RangeError('too short')
}

describe('the silent logger', () => {
  it('writes nothing of what libp2p logs, at any depth, and looks at none of it', (t) => {
    const written = [t.mock.method(process.stderr, 'write'), t.mock.method(process.stdout, 'write')]
    const looked = t.mock.fn(() => 'x')
    const log = silentLogger().forComponent('a').newScope('b').newScope('c')
    log('%p', { toString: looked })
    log.error('%e', { toString: looked })
    log.trace('%s', { toString: looked })
    assert.equal(log.enabled, false)
    assert.deepEqual(
      [...written, looked].map((each) => each.mock.callCount()),
      [0, 0, 0],
    )
  })
})
