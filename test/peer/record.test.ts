import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { MAX_ENVELOPE_BYTES } from '../../src/peer/limits.ts'
import { MAX_SEQ, openRecord, reopenRecord } from '../../src/peer/record.ts'
import { sealRecord } from '../support/records.ts'

const ADDRESSES = ['/ip4/192.0.2.1/tcp/4001', '/ip6/2001:db8::1/udp/4001/quic-v1']

describe('signed peer records', async () => {
  const key = await generateKeyPair('Ed25519')
  const peerId = peerIdFromPrivateKey(key).toString()

  for (const type of ['Ed25519', 'secp256k1', 'RSA'] as const) {
    for (const form of ['standard', 'routing-state'] as const) {
      it(`opens what a peer signed of itself: ${type}, ${form}`, async () => {
        const own = type === 'RSA' ? await generateKeyPair('RSA', 2048) : await generateKeyPair(type)
        const envelope = await sealRecord(own, ADDRESSES, { seq: 7n, form })
        const record = {
          form,
          peerId: peerIdFromPrivateKey(own).toString(),
          seq: 7n,
          addresses: ADDRESSES,
          envelope,
        }
        assert.deepEqual(await openRecord(envelope), record)
        assert.deepEqual(reopenRecord(envelope), record)
      })
    }
  }

  it('refuses a record that another peer signed', async () => {
    const subject = await generateKeyPair('Ed25519')
    assert.equal(await openRecord(await sealRecord(key, ADDRESSES, { subject })), 'record_signer_mismatch')
  })

  it('refuses a signature for another purpose, though of the right kind', async () => {
    const record = new PeerRecord({ peerId: peerIdFromPrivateKey(key), multiaddrs: [multiaddr(ADDRESSES[0]!)] })
    record.domain = 'another-purpose'
    assert.equal(await openRecord((await RecordEnvelope.seal(record, key)).marshal()), 'record_signature_wrong')
  })

  it('refuses an address whose bytes others do not read as it does', async () => {
    const whole = multiaddr(ADDRESSES[0]!).bytes
    const seal = async (bytes: Uint8Array) => {
      const record = new PeerRecord({
        peerId: peerIdFromPrivateKey(key),
        multiaddrs: [multiaddr(bytes)],
        seqNumber: 7n,
      })
      return (await RecordEnvelope.seal(record, key)).marshal()
    }
    assert.notEqual(typeof (await openRecord(await seal(whole))), 'string')
    // `/tls/sni`, whose length is more than there is.
    const cut = Buffer.concat([whole, Buffer.from([0xc0, 0x03, 0xc1, 0x03, 9]), Buffer.from('a.b')])
    assert.equal(await openRecord(await seal(cut)), 'record_not_readable')
  })

  it('refuses a record that an ECDSA key signed, and throws nothing', async () => {
    const ecdsa = await generateKeyPair('ECDSA')
    const record = new PeerRecord({ peerId: peerIdFromPrivateKey(key), multiaddrs: [multiaddr(ADDRESSES[0]!)] })
    const envelope = (await RecordEnvelope.seal(record, ecdsa)).marshal()
    assert.equal(await openRecord(envelope), 'record_key_unsupported')
    assert.equal(reopenRecord(envelope), 'record_key_unsupported')
  })

  it('refuses what the peer signed for the same purpose but is of another kind', async () => {
    const record = new PeerRecord({ peerId: peerIdFromPrivateKey(key), multiaddrs: [multiaddr(ADDRESSES[0]!)] })
    record.codec = Uint8Array.of(3, 2)
    assert.equal(await openRecord((await RecordEnvelope.seal(record, key)).marshal()), 'record_of_another_kind')
  })

  it('refuses a record with a bit flipped anywhere, or opens one that says the same', async () => {
    const envelope = await sealRecord(key, ADDRESSES, { seq: 7n })
    const whole = await openRecord(envelope)
    assert.ok(typeof whole !== 'string')
    for (let at = 0; at < envelope.length * 8; at++) {
      const flipped = Uint8Array.from(envelope)
      flipped[at >> 3]! ^= 1 << (at & 7)
      const opened = await openRecord(flipped)
      if (typeof opened !== 'string') {
        assert.deepEqual({ ...opened, envelope }, whole, `bit ${at}`)
      }
    }
  })

  it('makes a fault of any other bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        assert.equal(typeof (await openRecord(bytes)), 'string')
      }),
      { numRuns: 500 },
    )
  })

  it('has bounds: bytes, addresses, and the sequence number that would be the last', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => `/ip4/192.0.2.1/tcp/${1000 + n}`)
    assert.notEqual(typeof (await openRecord(await sealRecord(key, many(16)))), 'string')
    assert.equal(await openRecord(await sealRecord(key, many(17))), 'record_addresses_count')
    assert.equal(await openRecord(await sealRecord(key, [])), 'record_addresses_count')
    assert.notEqual(typeof (await openRecord(await sealRecord(key, many(1), { seq: MAX_SEQ }))), 'string')
    assert.equal(await openRecord(await sealRecord(key, many(1), { seq: MAX_SEQ + 1n })), 'record_seq_out_of_range')
    assert.equal(await openRecord(new Uint8Array(MAX_ENVELOPE_BYTES + 1)), 'record_too_long')
  })

  it('is the peer that the key says', async () => {
    const record = await openRecord(await sealRecord(key, ADDRESSES))
    assert.ok(typeof record !== 'string')
    assert.equal(record.peerId, peerId)
  })
})
