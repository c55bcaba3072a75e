import type { Stream } from '@libp2p/interface'
import { closeSent, sendAll, type WriteLimits } from './send.ts'

/** Returns a sink that writes lines to a stream, each as {@link sendAll} does, and closes our side of it. */
export function writeLines(stream: Stream, limits: WriteLimits, signal: AbortSignal) {
  async function writeNext(lines: AsyncIterator<string>): Promise<boolean> {
    const { done, value } = await lines.next()
    if (!done) {
      await sendAll(stream, Buffer.from(value), limits, signal)
    }
    return !done
  }

  return async (lines: AsyncIterable<string>): Promise<void> => {
    const iterator = lines[Symbol.asyncIterator]()
    try {
      // Not `for await`: it would keep a line of half a megabyte in memory until the next request comes.
      while (await writeNext(iterator)) {}
      await closeSent(stream, limits, signal)
    } catch (err) {
      await iterator.return?.()
      throw err
    }
  }
}
