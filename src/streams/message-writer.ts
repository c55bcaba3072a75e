import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'
import { encodeVarint } from '../wire/protobuf.ts'

/** Writes a message behind its length. Rejects when the far side takes nothing for `timeout` ms, and when it hangs up. */
export async function writeMessage(
  stream: Stream,
  message: Uint8Array,
  timeout: number,
  signal: AbortSignal,
): Promise<void> {
  // Not stream.onDrain(): its promise is made once and stays resolved after the first time (@libp2p/utils 7.4.1).
  if (!stream.send(Buffer.concat([encodeVarint(message.length), message]))) {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
    try {
      await pEvent(stream, 'drain', { rejectionEvents: ['close'], signal: patience })
    } catch (reason) {
      // pEvent rejects with the close event itself, which is no error.
      throw reason instanceof Error ? reason : new Error('the stream closed before it took the message')
    }
  }
}
