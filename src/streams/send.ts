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
 * Sends bytes on a stream and resolves once the far side has room for more. Rejects when it takes nothing for too long,
 * when it hangs up, and when the signal fires: what it does not read is memory of ours, so the stream is to be reset then.
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
  // A stream tells of 'drain' too when its connection has room and its own window has none; 'idle' is all sent.
  const event = stream.writeBufferLength > 0 ? 'idle' : 'drain'
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
  const sent = pEvent(stream, event, { rejectionEvents: ['close'], signal: deadline })
  onWait(bytes.length)
  await beforeClose(sent).finally(onWaitOver)
  // What an abort throws away counts as sent.
  if (stream.status !== 'open') {
    throw new Error(CLOSED)
  }
}

/** Closes our side of a stream. Rejects when the far side does not take what is still to be sent within the limits. */
export async function closeSent(stream: Stream, { timeout }: WriteLimits, signal: AbortSignal): Promise<void> {
  // Closing waits only for what is not sent yet, and most answers are.
  const isSent = stream.writeBufferLength === 0 && !stream.writableNeedsDrain
  const options = isSent ? undefined : { signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]) }
  await beforeClose(stream.close(options))
}

/** pEvent rejects with the close event itself, which is no error. */
async function beforeClose(written: Promise<unknown>): Promise<void> {
  try {
    await written
  } catch (reason) {
    throw reason instanceof Error ? reason : new Error(CLOSED)
  }
}

const CLOSED = 'the stream closed before it took the answer'
