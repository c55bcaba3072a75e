import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'

// RFC 8410: what stands before the 32 raw bytes of an X25519 key in PKCS#8 and SPKI.
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')

/**
 * The crypto of `@libp2p/noise` with X25519 private keys that stay key objects.
 *
 * The default (17.0.3) exports each ephemeral key to bytes and imports it again for each Diffie-Hellman, which derives
 * its public key anew: two needless scalar multiplications a handshake. Here the bytes that noise hands around are only
 * a handle. Same primitives of the same OpenSSL; hashes and ciphers are the default's own.
 */
export function noiseCrypto(): ICryptoInterface {
  const keys = new WeakMap<Uint8Array, KeyObject>()
  return {
    ...defaultCrypto,
    getHKDF(chainingKey, inputKeyMaterial) {
      // Noise, section 4.3: HMAC-SHA256 four times. The default computes it in JavaScript, at three times the cost.
      const secret = hmac(chainingKey, inputKeyMaterial)
      const first = hmac(secret, ONE)
      const second = hmac(secret, Buffer.concat([first, TWO]))
      return [first, second, hmac(secret, Buffer.concat([second, THREE]))]
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
      return diffieHellman({
        privateKey: keys.get(handle) ?? importPrivateKey(handle),
        publicKey: createPublicKey({ key: Buffer.concat([SPKI_PREFIX, remote]), type: 'spki', format: 'der' }),
      })
    },
  }
}

const [ONE, TWO, THREE] = [Buffer.of(1), Buffer.of(2), Buffer.of(3)]

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

function importPrivateKey(raw: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, raw]), type: 'pkcs8', format: 'der' })
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length)
}
