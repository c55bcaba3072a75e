import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { openRecord } from '../../src/peer/record.ts'
import { decodePeerInfo, encodePeerInfo } from '../../src/wire/peer-info.ts'
import { decodeMessage, encodeMessage, isMessageFault } from '../../src/wire/rendezvous-codec.ts'
import type { RendezvousMessage } from '../../src/wire/rendezvous-messages.ts'

/** Taken off the wire: what the clients of other stacks sent to register, discover and unregister. */
const CAPTURED: ReadonlyArray<{ readonly client: string; readonly type: string; readonly bytes: string }> = JSON.parse(
  readFileSync(new URL('./vectors/rendezvous-clients.json', import.meta.url), 'utf8'),
)

function captured(client: string, type: string): RendezvousMessage {
  const { bytes } = CAPTURED.find((each) => each.client.startsWith(client) && each.type === type)!
  const message = decodeMessage(Buffer.from(bytes, 'hex'))
  assert.ok(!isMessageFault(message))
  return message
}

describe('messages of other stacks', () => {
  for (const { client, type, bytes } of CAPTURED) {
    it(`reads ${type} of ${client}`, () => {
      const message = decodeMessage(Buffer.from(bytes, 'hex'))
      assert.ok(!isMessageFault(message))
      assert.equal(message.type, type)
      assert.equal('ns' in message ? message.ns : undefined, 'mychain')
      if (client.startsWith('rust')) {
        assert.equal(Buffer.from(encodeMessage(message)).toString('hex'), bytes, 'and writes it the same')
      }
    })
  }

  it('opens the record of rust-libp2p, which signs it in a form of its own', async () => {
    const message = captured('rust', 'REGISTER')
    assert.ok(message.type === 'REGISTER')
    const record = await openRecord(message.signedPeerRecord!)
    assert.ok(typeof record !== 'string', String(record))
    assert.equal(record.form, 'routing-state')
    assert.equal(record.peerId, '12D3KooWNacLgQ42oBTxZAcF397d6SpYMSPJrvQQT4yRY59xBsoB')
    assert.deepEqual(record.addresses, ['/ip4/127.0.0.1/tcp/46113'])
  })

  it('reads the unsigned record of py-libp2p, and writes it the same', async () => {
    const message = captured('py', 'REGISTER')
    assert.ok(message.type === 'REGISTER')
    const info = decodePeerInfo(message.signedPeerRecord!)
    assert.ok(info)
    assert.equal(info.addresses.length, 1)
    assert.deepEqual(Buffer.from(encodePeerInfo(info)), Buffer.from(message.signedPeerRecord!))
    assert.equal(await openRecord(message.signedPeerRecord!), 'record_of_another_kind')
  })

  it('takes no envelope for an unsigned record', () => {
    const message = captured('rust', 'REGISTER')
    assert.ok(message.type === 'REGISTER')
    assert.equal(decodePeerInfo(message.signedPeerRecord!), undefined)
  })
})
