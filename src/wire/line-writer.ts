import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'

export interface WriteLimits {
  /** How long the far side may take to make room for more, in ms. */
  readonly timeout: number
}

/**
 * A sink that writes lines to a stream and closes our side of it. A reader that takes nothing for too long is reset:
 * what it does not read is memory of ours.
 */
export function writeLines(stream: Stream, limits: WriteLimits, signal: AbortSignal) {
  return async (lines: AsyncIterable<string>): Promise<void> => {
    for await (const line of lines) {
      // Not stream.onDrain(): its promise is made once and stays resolved after the first time (@libp2p/utils 7.4.1).
      if (!stream.send(Buffer.from(line))) {
        await drained(stream, AbortSignal.any([signal, AbortSignal.timeout(limits.timeout)]))
      }
    }
    await stream.close({ signal: AbortSignal.any([signal, AbortSignal.timeout(limits.timeout)]) })
  }
}

async function drained(stream: Stream, signal: AbortSignal): Promise<void> {
  try {
    await pEvent(stream, 'drain', { rejectionEvents: ['close'], signal })
  } catch (reason) {
    // The rejection is the close event itself, not an error.
    throw reason instanceof Error ? reason : new Error('the stream closed before it took the answer')
  }
}
