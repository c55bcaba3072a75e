import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openRecord } from '../../src/peer/record.ts'
import { decodeIdentify } from '../../src/wire/identify-message.ts'
import { encodeFields } from '../../src/wire/protobuf.ts'

/** What the peers of `interop/` answered, listening on loopback. */
const VECTORS = [
  {
    stack: 'go-libp2p 0.51.0',
    agent: 'bootstrap-peer/interop@',
    form: 'standard',
    peerId: '12D3KooWDzLdbL9qkK5p7C4HrbggQS2RVuMdsXRgxUscMqRCEhhx',
    address: '/ip4/127.0.0.1/tcp/42813',
    base64:
      'CiQIARIgPfzRWuEnE66R86jXLtXKBy7KQ6OP8VWAvvLwWLvEap8SCAR/AAABBqc9Gg4vaXBmcy9pZC8xLjAuMBoTL2lwZnMvaWQv' +
      'cHVzaC8xLjAuMBoQL2lwZnMvcGluZy8xLjAuMBogL2xpYnAycC9jaXJjdWl0L3JlbGF5LzAuMi4wL3N0b3AiCAR/AAABBq/iKgAy' +
      'F2Jvb3RzdHJhcC1wZWVyL2ludGVyb3BAQqwBCiQIARIgPfzRWuEnE66R86jXLtXKBy7KQ6OP8VWAvvLwWLvEap8SAgMBGj4KJgAk' +
      'CAESID380VrhJxOukfOo1y7VygcuykOjj/FVgL7y8Fi7xGqfEPCIp6SHsMP1GBoKCggEfwAAAQanPSpAyh7aMjYDcFW+It5W0Tn6' +
      'Myefy56ZuReAjRoer7qTN7jqMJZZCKD59bGUylCFdY1VW9NfTCEnkSW3+pirMC17AA==',
  },
  {
    stack: 'rust-libp2p 0.57.1 (new_with_signed_peer_record)',
    agent: 'rust-libp2p/0.48.0',
    form: 'legacy',
    peerId: '12D3KooWSghW6uAHDNc917HfL9HbD4Tc38pGCntQQBfJruTDTVfr',
    address: '/ip4/127.0.0.1/tcp/39833',
    base64:
      'CiQIARIg+p/kW+oTF/4wbvcOy2W3D7fJ9DC0Kphwp7dNoj0ZtE0SCAR/AAABBpuZGhMvaXBmcy9pZC9wdXNoLzEuMC4wGhAvaXBm' +
      'cy9waW5nLzEuMC4wGg4vaXBmcy9pZC8xLjAuMCIIBH8AAAEGiSYqDi9pbnRlcm9wLzEuMC4wMhJydXN0LWxpYnAycC8wLjQ4LjBC' +
      'wgEKJAgBEiD6n+Rb6hMX/jBu9w7LZbcPt8n0MLQqmHCnt02iPRm0TRIcL2xpYnAycC9yb3V0aW5nLXN0YXRlLXJlY29yZBo6CiYA' +
      'JAgBEiD6n+Rb6hMX/jBu9w7LZbcPt8n0MLQqmHCnt02iPRm0TRCppZfYBhoKCggEfwAAAQabmSpAYBV9qavkmiKF0crHGYdUmLbt' +
      'dXLEw3rLZ56f+sfyBO4M9i1T4u4xElRJPF8TtMvWyBtGkYf/L1sp2yZKNTKhAw==',
  },
] as const

/** Public key, listen addresses, protocols, observed address and protocol version: passed over. */
const OTHERS = [
  [1, Buffer.from('0801', 'hex')],
  [2, Buffer.from('047f000001', 'hex')],
  [3, '/ipfs/ping/1.0.0'],
  [4, Buffer.from('047f000001', 'hex')],
  [5, 'ipfs/0.1.0'],
] as const

describe('an identify message', () => {
  it('says which program it is of, and shows its signed record', () => {
    const signedPeerRecord = Buffer.from('envelope')
    const bytes = encodeFields(...OTHERS, [6, 'rust-libp2p/0.48.0'], [8, signedPeerRecord])
    const message = decodeIdentify(bytes)
    assert.equal(message?.agent, 'rust-libp2p/0.48.0')
    assert.deepEqual(Buffer.from(message.signedPeerRecord!), signedPeerRecord)
    bytes.fill(0)
    assert.deepEqual(Buffer.from(message.signedPeerRecord!), signedPeerRecord, 'its own bytes')
  })

  it('may leave out both, and may be empty', () => {
    const none = { agent: undefined, signedPeerRecord: undefined }
    assert.deepEqual(decodeIdentify(encodeFields(...OTHERS)), none)
    assert.deepEqual(decodeIdentify(new Uint8Array(0)), none)
  })

  for (const { stack, base64, agent, form, peerId, address } of VECTORS) {
    it(`is read as ${stack} wrote it, and its record is one`, async () => {
      const message = decodeIdentify(Buffer.from(base64, 'base64'))
      assert.equal(message?.agent, agent)
      const record = await openRecord(message.signedPeerRecord!)
      assert.ok(typeof record === 'object', String(record))
      assert.deepEqual([record.form, record.peerId, ...record.addresses], [form, peerId, address])
    })
  }

  it('is no message when it is cut, or of other bytes, and nothing is thrown', () => {
    const whole = Buffer.from(VECTORS[0].base64, 'base64')
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        const message = decodeIdentify(whole.subarray(0, length))
        return message === undefined || message.signedPeerRecord === undefined
      }),
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeIdentify(bytes)))
  })
})
