// Measures what a dial-back costs this machine.

import { diffieHellman, generateKeyPairSync, sign, verify } from 'node:crypto'

/** CPU of a dial-back and of writing down what it showed, ms, on the machine of `docs/performance.md`. */
export const PROOF_CPU_MS = 1.5
/** What {@link handshakeMs} was on that machine at that time. */
const HANDSHAKE_MS = 0.3
/** Beyond these it was not the machine that was measured. */
const [LEAST_MS, MOST_MS] = [0.3, 15]
const BATCHES = 8
const EACH = 4

/**
 * What a dial-back costs on this machine, ms of CPU: {@link PROOF_CPU_MS}, by how fast the machine is at the cryptography of a
 * handshake. Takes some 10 ms. The share of all else in a dial-back, JavaScript and the kernel, is taken to be the same
 * everywhere; to see the CPU of the dial-backs apart from that of the requests while both go on is not possible.
 */
export function proofCost(): number {
  return Math.min(MOST_MS, Math.max(LEAST_MS, (PROOF_CPU_MS * handshakeMs()) / HANDSHAKE_MS))
}

/** The cryptography of a handshake that dials: a key, three Diffie-Hellmans, a signature to check. The quickest of some. */
export function handshakeMs(): number {
  const [ours, theirs, identity] = [
    generateKeyPairSync('x25519'),
    generateKeyPairSync('x25519'),
    generateKeyPairSync('ed25519'),
  ]
  const signed = Buffer.from('noise-libp2p-static-key:')
  const signature = sign(null, signed, identity.privateKey)
  let quickest = Number.POSITIVE_INFINITY
  for (let batch = 0; batch < BATCHES; batch++) {
    const began = performance.now()
    for (let n = 0; n < EACH; n++) {
      const ephemeral = generateKeyPairSync('x25519')
      diffieHellman({ privateKey: ephemeral.privateKey, publicKey: theirs.publicKey })
      diffieHellman({ privateKey: ephemeral.privateKey, publicKey: theirs.publicKey })
      diffieHellman({ privateKey: ours.privateKey, publicKey: theirs.publicKey })
      verify(null, signed, identity.publicKey, signature)
    }
    quickest = Math.min(quickest, (performance.now() - began) / EACH)
  }
  return quickest
}
