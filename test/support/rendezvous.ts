import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { decodeMessage, encodeMessage, isMessageFault } from '../../src/wire/rendezvous-codec.ts'
import { RENDEZVOUS_PROTOCOL, type RendezvousMessage } from '../../src/wire/rendezvous-messages.ts'

/** One request on a new stream, and its answer; undefined when the far side closes without one. Fails on a reset. */
export async function exchangeMessage(
  peer: Libp2p,
  point: string,
  request: RendezvousMessage | Uint8Array,
): Promise<RendezvousMessage | undefined> {
  const signal = AbortSignal.timeout(15_000)
  const stream = await peer.dialProtocol(multiaddr(point), RENDEZVOUS_PROTOCOL, { signal })
  const messages = lpStream(stream)
  await messages.write(request instanceof Uint8Array ? request : encodeMessage(request), { signal })
  await stream.close({ signal })
  try {
    const answer = decodeMessage((await messages.read({ signal })).subarray())
    if (isMessageFault(answer)) {
      throw new Error(`the answer is no message: ${answer.fault}`)
    }
    return answer
  } catch (err) {
    if (err instanceof Error && err.name === 'UnexpectedEOFError' && stream.status !== 'reset') {
      return undefined
    }
    throw err
  }
}
