import type { PrivateKey } from '@libp2p/interface'

/**
 * A private key that remembers its last signature.
 *
 * Patches @libp2p/noise 17.0.3, where the identity key signs the static Noise key in every handshake, although the static
 * key is the same as long as the node runs. Ed25519 is deterministic (RFC 8032), so the same bytes have the same
 * signature; other key types are returned as they are.
 *
 * Upstream: no report found in JavaScript; in Go it was https://github.com/libp2p/go-libp2p-noise/issues/49. It can go when
 * `test/host/patches/still-needed.test.ts` "Noise signs its static key for each handshake" fails.
 */
export function signOnce(key: PrivateKey): PrivateKey {
  if (key.type !== 'Ed25519') {
    return key
  }
  let last: { readonly data: Uint8Array; readonly signature: ReturnType<PrivateKey['sign']> } | undefined
  const sign: PrivateKey['sign'] = (data) => {
    const bytes = data instanceof Uint8Array ? data : data.subarray()
    if (last === undefined || Buffer.compare(last.data, bytes) !== 0) {
      last = { data: Uint8Array.from(bytes), signature: key.sign(bytes) }
    }
    return last.signature
  }
  return Object.create(key, { sign: { value: sign } })
}
