import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'
import { Uint8ArrayList } from 'uint8arraylist'
import { noiseCrypto } from '../../../src/host/patches/noise-crypto.ts'

// The handshake of libp2p's noise itself, which its package does not export.
const noise = import.meta.resolve('@chainsafe/libp2p-noise')
const { XXHandshakeState } = (await import(new URL('./protocol.js', noise).href)) as Internals
const { wrapCrypto } = (await import(new URL('./crypto.js', noise).href)) as Internals

interface Internals {
  readonly XXHandshakeState: new (init: object) => Handshake
  readonly wrapCrypto: (crypto: ICryptoInterface) => object
}
type Message = (bytes: Uint8Array | Uint8ArrayList) => Uint8Array | Uint8ArrayList
interface Handshake {
  readonly ss: {
    readonly h: Uint8Array
    split(): Array<{ encryptWithAd(ad: Uint8Array, text: Uint8Array): Uint8Array }>
  }
  readonly writeMessageA: Message
  readonly readMessageA: Message
  readonly writeMessageB: Message
  readonly readMessageB: Message
  readonly writeMessageC: Message
  readonly readMessageC: Message
}

// Noise_XX_25519_ChaChaPoly_SHA256 of the cacophony vectors, against which Noise implementations are tested.
const PROLOGUE = '4a6f686e2047616c74'
const KEYS = {
  initiator: {
    static: 'e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1',
    ephemeral: '893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a',
  },
  responder: {
    static: '4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893',
    ephemeral: 'bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b',
  },
}
const HANDSHAKE_HASH = 'c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e'
const MESSAGES = [
  {
    payload: '4c756477696720766f6e204d69736573',
    text: 'ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e204d69736573',
  },
  {
    payload: '4d757272617920526f746862617264',
    text: '95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276e038c48378ffce2b65285e08d6b68aaa3629a5a8639392490e5b9bd5269c2f1e4f488ed8831161f19b7815528f8982ffe09be9b5c412f8a0db50f8814c7194e83f23dbd8d162c9326ad',
  },
  {
    payload: '462e20412e20486179656b',
    text: 'c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9df0f169ae80a89be0865b57f58c9fea0d4ec82a286427402f113e4b6ae769a1d95941d49b25030',
  },
  { payload: '4361726c204d656e676572', text: '96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df' },
  {
    payload: '4a65616e2d426170746973746520536179',
    text: '3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5',
  },
] as const

const hex = (text: string) => Buffer.from(text, 'hex')
const toHex = (bytes: Uint8Array | Uint8ArrayList) => Buffer.from(bytes.subarray()).toString('hex')

const PAIRS: ReadonlyArray<readonly [name: string, initiator: ICryptoInterface, responder: ICryptoInterface]> = [
  ['the default crypto, so that the vectors can be trusted', defaultCrypto, defaultCrypto],
  ['our crypto on both sides', noiseCrypto(), noiseCrypto()],
  ['our crypto as the responder', defaultCrypto, noiseCrypto()],
  ['our crypto as the initiator', noiseCrypto(), defaultCrypto],
]

describe('a Noise handshake says what the vectors say, byte for byte', () => {
  for (const [name, initiatorCrypto, responderCrypto] of PAIRS) {
    it(`with ${name}`, () => {
      const initiator = handshake('initiator', initiatorCrypto)
      const responder = handshake('responder', responderCrypto)
      const [a, b, c, ...transport] = MESSAGES
      exchange(a, initiator.writeMessageA.bind(initiator), responder.readMessageA.bind(responder))
      exchange(b, responder.writeMessageB.bind(responder), initiator.readMessageB.bind(initiator))
      exchange(c, initiator.writeMessageC.bind(initiator), responder.readMessageC.bind(responder))
      for (const side of [initiator, responder]) {
        assert.equal(toHex(side.ss.h), HANDSHAKE_HASH)
        const [fromInitiator, fromResponder] = side.ss.split()
        assert.equal(toHex(seal(fromResponder!, transport[0]!.payload)), transport[0]!.text)
        assert.equal(toHex(seal(fromInitiator!, transport[1]!.payload)), transport[1]!.text)
      }
    })
  }
})

function handshake(side: keyof typeof KEYS, crypto: ICryptoInterface): Handshake {
  const pair = (seed: string) => crypto.generateX25519KeyPairFromSeed(hex(seed))
  return new XXHandshakeState({
    crypto: wrapCrypto({ ...crypto, generateX25519KeyPair: () => pair(KEYS[side].ephemeral) }),
    protocolName: 'Noise_XX_25519_ChaChaPoly_SHA256',
    initiator: side === 'initiator',
    prologue: hex(PROLOGUE),
    s: pair(KEYS[side].static),
  })
}

function exchange(
  { payload, text }: { readonly payload: string; readonly text: string },
  write: Message,
  read: Message,
) {
  const message = write(hex(payload))
  assert.equal(toHex(message), text)
  assert.equal(toHex(read(new Uint8ArrayList(hex(text)))), payload)
}

function seal(state: { encryptWithAd(ad: Uint8Array, text: Uint8Array): Uint8Array }, payload: string): Uint8Array {
  return state.encryptWithAd(new Uint8Array(0), hex(payload))
}
