import type { Multiaddr } from '@multiformats/multiaddr'
import { sealRecord } from '../src/peer/record.ts'
import { readMessages, writeMessage } from '../src/streams/messages.ts'
import { decodeMessage, encodeMessage, isMessageFault } from '../src/wire/rendezvous-codec.ts'
import { MAX_MESSAGE_BYTES, RENDEZVOUS_PROTOCOL, type RendezvousMessage } from '../src/wire/rendezvous-messages.ts'
import { CALL_TIMEOUT_MS, type Client, visit } from './clients.ts'

/** A client's own record, as rust-libp2p reads it. It serves again and again: the server does not look at its number. */
export async function recordOf({ privateKey, address }: Client): Promise<Uint8Array> {
  return await sealRecord(privateKey, { addresses: [address], seq: BigInt(Date.now()), form: 'routing-state' })
}

/**
 * Dial, handshake, register, discover, hang up. Resolves to how many were discovered. Their signatures are left alone:
 * verifying a hundred would have the clients take all the time that there is.
 */
export async function rendezvousJoin(
  client: Client,
  point: Multiaddr,
  { namespace, record, limit }: { readonly namespace: string; readonly record: Uint8Array; readonly limit: number },
): Promise<number> {
  return await visit(client, async () => {
    const registered = await exchange(client, point, {
      type: 'REGISTER',
      ns: namespace,
      signedPeerRecord: record,
      ttlMs: undefined,
    })
    if (registered.type !== 'REGISTER_RESPONSE' || registered.status !== 'OK') {
      throw new Error(`the registration was answered with ${JSON.stringify(registered)}`)
    }
    const found = await exchange(client, point, { type: 'DISCOVER', ns: namespace, limit, cookie: undefined })
    if (found.type !== 'DISCOVER_RESPONSE' || found.status !== 'OK') {
      throw new Error(`the discovery was answered with ${found.type}`)
    }
    return found.registrations.length
  })
}

async function exchange({ node }: Client, point: Multiaddr, message: RendezvousMessage): Promise<RendezvousMessage> {
  const signal = AbortSignal.timeout(CALL_TIMEOUT_MS)
  const stream = await node.dialProtocol(point, RENDEZVOUS_PROTOCOL, { signal })
  const answers = readMessages(stream, { maxBytes: MAX_MESSAGE_BYTES, timeout: CALL_TIMEOUT_MS }, signal)
  const limits = { timeout: CALL_TIMEOUT_MS, onWait: () => {}, onWaitOver: () => {} }
  await writeMessage(stream, encodeMessage(message), limits, signal)
  await stream.close({ signal })
  const { value } = await answers.next()
  const answer = value === undefined || 'tooLong' in value ? undefined : decodeMessage(value)
  if (answer === undefined || isMessageFault(answer)) {
    throw new Error('the rendezvous point gave no answer that can be read')
  }
  return answer
}
