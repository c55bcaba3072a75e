// Crypto for Noise with X25519 keys that stay key objects.

import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'

/**
 * The crypto of Noise with X25519 private keys that stay key objects.
 *
 * Patches @libp2p/noise 17.0.3. Its default exports each ephemeral key to bytes and imports it again for each
 * Diffie-Hellman, which derives its public key anew: two needless scalar multiplications a handshake. Here the bytes that
 * noise passes around are only a handle. The primitives are those of the same OpenSSL; everything else is the default's.
 *
 * Node (24.21) tests for a key object by a native call that throws, 7 µs a time, unless the value is a key object or a
 * string: so secrets are passed as key objects, and public keys as PEM.
 *
 * Upstream: no report found. The default came with https://github.com/ChainSafe/js-libp2p-noise/pull/389. It can go when
 * `test/host/patches/still-needed.test.ts` "Noise imports a key that it has just made" fails.
 */
export function noiseCrypto(): ICryptoInterface {
  const keys = new WeakMap<Uint8Array, KeyObject>()
  const publicKeys = lastOnly(importPublicKey)
  return {
    ...defaultCrypto,
    chaCha20Poly1305Encrypt(plaintext, nonce, ad, k) {
      if (plaintext.byteLength < MIN_OPENSSL_BYTES || ad.byteLength > 0) {
        return defaultCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, k)
      }
      const cipher = createCipheriv('chacha20-poly1305', createSecretKey(k), nonce, { authTagLength: 16 })
      const parts = plaintext instanceof Uint8Array ? [plaintext] : plaintext
      const encrypted = Array.from(parts, (part) => cipher.update(part))
      return Buffer.concat([...encrypted, cipher.final(), cipher.getAuthTag()])
    },
    getHKDF(chainingKey, inputKeyMaterial) {
      // Noise, section 4.3, is RFC 5869 without an info. The default does it in JavaScript, at six times the cost.
      const output = Buffer.from(hkdfSync('sha256', createSecretKey(inputKeyMaterial), chainingKey, NO_INFO, 96))
      return [output.subarray(0, 32), output.subarray(32, 64), output.subarray(64)]
    },
    generateX25519KeyPair() {
      const pair = generateKeyPairSync('x25519')
      // Never read as a key by noise; a fresh array, because it is the key of the map.
      const privateKey = new Uint8Array(32)
      keys.set(privateKey, pair.privateKey)
      return { privateKey, publicKey: rawPublicKey(pair.publicKey) }
    },
    generateX25519KeyPairFromSeed(seed) {
      const key = importPrivateKey(seed)
      keys.set(seed, key)
      return { privateKey: seed, publicKey: rawPublicKey(createPublicKey(key)) }
    },
    generateX25519SharedKey(privateKey, publicKey) {
      const handle = privateKey instanceof Uint8Array ? privateKey : privateKey.subarray()
      const remote = publicKey instanceof Uint8Array ? publicKey : publicKey.subarray()
      return diffieHellman({ privateKey: keys.get(handle) ?? importPrivateKey(handle), publicKey: publicKeys(remote) })
    },
  }
}

// RFC 8410: the bytes before the 32 raw bytes of an X25519 key in PKCS#8 and SPKI.
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')

/** Measured: from here on OpenSSL seals faster than the default's WebAssembly (6 against 10 µs at 1200 bytes). */
const MIN_OPENSSL_BYTES = 800
const NO_INFO = new Uint8Array(0)

function importPrivateKey(raw: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, raw]), type: 'pkcs8', format: 'der' })
}

function importPublicKey(raw: Uint8Array): KeyObject {
  const der = Buffer.concat([SPKI_PREFIX, raw]).toString('base64')
  return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`)
}

function rawPublicKey(key: KeyObject): Uint8Array {
  try {
    return key.export({ format: 'raw-public' })
  } catch {
    // Node 22 does not accept that form, and making DER of it takes two thirds of the time of the key itself.
    return key.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length)
  }
}

/** The same public key is needed twice in a row: in `ee`, then in `es`. */
function lastOnly(make: (raw: Uint8Array) => KeyObject): (raw: Uint8Array) => KeyObject {
  let last: { readonly raw: Uint8Array; readonly key: KeyObject } | undefined
  return (raw) => {
    if (last === undefined || Buffer.compare(last.raw, raw) !== 0) {
      last = { raw: Uint8Array.from(raw), key: make(raw) }
    }
    return last.key
  }
}
