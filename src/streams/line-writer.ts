import type { Stream } from '@libp2p/interface'
import { pEvent } from 'p-event'

export interface WriteLimits {
  /** How long the far side may take to make room for more, in ms. */
  readonly timeout: number
  /** Told when a line of so many bytes begins to wait for the far side, and when the wait is over. */
  readonly onWait?: (bytes: number) => void
  readonly onWaitOver?: () => void
}

/**
 * A sink that writes lines to a stream and closes our side of it. Rejects when the far side takes nothing for too long:
 * what it does not read is memory of ours, so the stream is to be reset then.
 */
export function writeLines(stream: Stream, limits: WriteLimits, signal: AbortSignal) {
  const patience = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(limits.timeout)]) })

  async function writeNext(lines: AsyncIterator<string>): Promise<boolean> {
    const { done, value } = await lines.next()
    if (done) {
      return false
    }
    const bytes = Buffer.from(value)
    // Not stream.onDrain(): its promise is made once and stays resolved after the first time (@libp2p/utils 7.4.1).
    if (!stream.send(bytes)) {
      // A stream tells of 'drain' too when its connection has room and its own window has none; 'idle' is all sent.
      const event = stream.writeBufferLength > 0 ? 'idle' : 'drain'
      const sent = pEvent(stream, event, { rejectionEvents: ['close'], ...patience() })
      limits.onWait?.(bytes.length)
      await beforeClose(sent).finally(limits.onWaitOver)
      // What an abort throws away counts as sent.
      if (stream.status !== 'open') {
        throw new Error(CLOSED)
      }
    }
    return true
  }

  return async (lines: AsyncIterable<string>): Promise<void> => {
    const iterator = lines[Symbol.asyncIterator]()
    try {
      // Not for await: it would keep a line of half a megabyte until the next request is there.
      while (await writeNext(iterator)) {}
      // Closing waits only for what is not sent yet, and most answers are.
      const isSent = stream.writeBufferLength === 0 && !stream.writableNeedsDrain
      await beforeClose(stream.close(isSent ? undefined : patience()))
    } catch (err) {
      await iterator.return?.()
      throw err
    }
  }
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
