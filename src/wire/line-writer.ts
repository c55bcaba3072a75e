import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'

export interface WriteLimits {
  /** How long the far side may take to make room for more, in ms. */
  readonly timeout: number
}

/**
 * A sink that writes lines to a stream and closes our side of it. Rejects when the far side takes nothing for too long:
 * what it does not read is memory of ours, so the stream is to be reset then.
 */
export function writeLines(stream: Stream, limits: WriteLimits, signal: AbortSignal) {
  const patience = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(limits.timeout)]) })
  return async (lines: AsyncIterable<string>): Promise<void> => {
    for await (const line of lines) {
      // Not stream.onDrain(): its promise is made once and stays resolved after the first time (@libp2p/utils 7.4.1).
      if (!stream.send(Buffer.from(line))) {
        await beforeClose(pEvent(stream, 'drain', { rejectionEvents: ['close'], ...patience() }))
      }
    }
    // Closing waits only for what is not sent yet, and most answers are.
    const isSent = stream.writeBufferLength === 0 && !stream.writableNeedsDrain
    await beforeClose(stream.close(isSent ? undefined : patience()))
  }
}

/** pEvent rejects with the close event itself, which is no error. */
async function beforeClose(written: Promise<unknown>): Promise<void> {
  try {
    await written
  } catch (reason) {
    throw reason instanceof Error ? reason : new Error('the stream closed before it took the answer')
  }
}
