// Sends bytes on a stream, within a deadline.

import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'

export interface WriteLimits {
  /** How long the far side may take to make room for more, ms. */
  readonly timeout: number
  /** Called when an answer of this many bytes begins to wait for the far side, and when the wait is over. */
  readonly onWait: (bytes: number) => void
  readonly onWaitOver: () => void
}

/**
 * Sends bytes on a stream. Resolves once the far side has room for more. Rejects when it takes nothing for `timeout`, when
 * it hangs up, and when the signal fires. Unread bytes are in our memory, so the caller resets the stream then.
 */
export async function sendAll(
  stream: Stream,
  bytes: Uint8Array,
  { timeout, onWait, onWaitOver }: WriteLimits,
  signal: AbortSignal,
): Promise<void> {
  // Not stream.onDrain(): its promise is made once and stays resolved after the first time (@libp2p/utils 7.4.1).
  if (stream.send(bytes)) {
    return
  }
  // A stream emits 'drain' also when its connection has room and its own window has none; 'idle' means all is sent.
  const event = stream.writeBufferLength > 0 ? 'idle' : 'drain'
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
  const sent = pEvent(stream, event, { rejectionEvents: ['close'], signal: deadline })
  onWait(bytes.length)
  await beforeClose(sent).finally(onWaitOver)
  // Bytes that an abort discards count as sent.
  if (stream.status !== 'open') {
    throw new Error(CLOSED)
  }
}

/** Closes our side of a stream. Rejects when the far side does not take what is still to be sent within the limits. */
export async function closeSent(stream: Stream, { timeout }: WriteLimits, signal: AbortSignal): Promise<void> {
  // Closing waits only for unsent bytes, and most answers have none.
  const isSent = stream.writeBufferLength === 0 && !stream.writableNeedsDrain
  const options = isSent ? undefined : { signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]) }
  await beforeClose(stream.close(options))
}

/** Rejects with an Error: pEvent rejects with the close event itself. */
async function beforeClose(written: Promise<unknown>): Promise<void> {
  try {
    await written
  } catch (reason) {
    throw reason instanceof Error ? reason : new Error(CLOSED)
  }
}

const CLOSED = 'the stream closed before it took the answer'
