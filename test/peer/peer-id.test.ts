import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { canonicalPeerId, samePeer } from '../../src/peer/peer-id.ts'

const KEYS = await Promise.all([generateKeyPair('Ed25519'), generateKeyPair('secp256k1'), generateKeyPair('RSA', 2048)])

describe('PeerIds', () => {
  for (const key of KEYS) {
    const id = peerIdFromPrivateKey(key)
    it(`of ${key.type} keys are the same in every form`, () => {
      for (const text of [id.toString(), id.toCID().toString()]) {
        assert.equal(canonicalPeerId(text), id.toString())
        assert.ok(samePeer(text, id.toString()))
      }
    })
    it(`of ${key.type} keys are not those of others`, () => {
      for (const other of KEYS.filter((each) => each !== key)) {
        assert.ok(!samePeer(peerIdFromPrivateKey(other).toString(), id.toString()))
      }
    })
  }

  it('are nothing else: no URL, no name, no white space, no control character', () => {
    // An identity multihash that holds a URL is a PeerId to libp2p; nobody can prove it by a handshake.
    const url = '12FnZDNAGnENYoUxFujcGpJiJLotnJ'
    for (const text of [
      '',
      ' ',
      'Qm',
      '12D3KooW',
      url,
      'https://example.org',
      '\n',
      '12D3KooW\0',
      'bafzaa',
      '1'.repeat(300),
    ]) {
      assert.equal(canonicalPeerId(text), undefined, JSON.stringify(text))
    }
    const id = peerIdFromPrivateKey(KEYS[0]).toString()
    for (const text of [` ${id}`, `${id}\n`, `${id}\0`, `${id}/`, id.slice(0, -1), `${id}1`, id.toLowerCase()]) {
      assert.equal(canonicalPeerId(text), undefined, JSON.stringify(text))
    }
  })

  it('come out in one printable form, whatever goes in', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String().map((each) => `1${each}`),
      fc.string().map((each) => `Qm${each}`),
    )
    fc.assert(
      fc.property(text, (each) => {
        const canonical = canonicalPeerId(each)
        assert.ok(
          canonical === undefined ||
            (/^[1-9A-HJ-NP-Za-km-z]{46,64}$/.test(canonical) && canonicalPeerId(canonical) === canonical),
        )
      }),
      { numRuns: 5000 },
    )
  })
})
