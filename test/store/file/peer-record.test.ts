import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { MAX_ENVELOPE_BYTES } from '../../../src/peer/limits.ts'
import { decodeRecord, encodeRecord } from '../../../src/store/file/entry-codec.ts'
import { fileStore } from '../../../src/store/file/file-store.ts'
import { sealRecord } from '../../support/records.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { NOW, put, record, testTable } from '../fixtures.ts'

const ADDRESS = '/ip4/127.0.0.1/tcp/4001'

describe('the record of a peer in the store', async () => {
  const key = await generateKeyPair('Ed25519')
  const peerId = peerIdFromPrivateKey(key).toString()
  const envelope = Buffer.from(await sealRecord(key, [ADDRESS]))
  const signed = record(1, { peerId, address: ADDRESS, envelope })

  it('is recovered byte for byte, from the journal and from the list', async (t) => {
    const path = join(await temporaryFolder(t), 'peers.json')
    const first = fileStore({ path, clock: () => NOW })
    await first.open()
    const unsigned = record(2, { envelope: Buffer.alloc(0) })
    await first.append([put(signed), put(record(0)), put(unsigned)])
    await first.close()
    const second = fileStore({ path, clock: () => NOW })
    const { records } = await second.open()
    assert.deepEqual(records, [signed, record(0), unsigned])
    await second.compact(testTable(records))
    await second.close()
    const third = fileStore({ path, clock: () => NOW })
    assert.deepEqual((await third.open()).records, records)
    await third.close()
    const [entry, plain] = JSON.parse(await readFile(path, 'utf8'))
    assert.equal(entry.address, `${ADDRESS}/p2p/${peerId}`, 'what the reader of the original reads is as before')
    assert.equal(entry.signedPeerRecord, envelope.toString('base64'))
    assert.equal('signedPeerRecord' in plain, false)
  })

  it('is left out when it is none, and the registration counts without it', () => {
    const entry = JSON.parse(encodeRecord(signed))
    const tooLong = Buffer.alloc(MAX_ENVELOPE_BYTES + 3).toString('base64')
    for (const signedPeerRecord of [undefined, null, 7, 'not base64!', tooLong, ['AA==']]) {
      const { envelope: _, ...without } = signed
      assert.deepEqual(decodeRecord({ ...entry, signedPeerRecord }, NOW), without)
    }
    assert.deepEqual(decodeRecord(entry, NOW), signed)
  })
})
