// One exchange of `/bootstrap/1.0.0` on the client's side: writes a line, reads the line of the answer.

import type { Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'
import { MAX_ANSWER_BYTES } from '../peer/limits.ts'

/** How long a call may take, ms: dialling, and the answer, for which a bootstrap has 6 s. */
export const CALL_TIMEOUT_MS = 10_000

const LINE_FEED = Uint8Array.of(10)

/**
 * Writes a line, closes our side and returns the first line of the answer, without its line end; at most one byte more than
 * an answer may have. Rejects when the stream is reset or the signal aborts; the stream is not left open then.
 *
 * It reads with `byteStream`: iterating a libp2p stream after the far side's half-close never ends.
 */
export async function exchangeLine(stream: Stream, line: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    const bytes = byteStream(stream, { maxBufferSize: MAX_ANSWER_BYTES * 2 })
    stream.send(Buffer.from(`${line}\n`))
    await stream.close({ signal })
    const answer = new Uint8ArrayList()
    while (answer.byteLength <= MAX_ANSWER_BYTES) {
      const chunk = await bytes.read({ signal })
      const scanned = answer.byteLength
      if (chunk !== null) {
        answer.append(chunk)
      }
      const end = answer.indexOf(LINE_FEED, scanned)
      if (end >= 0 || chunk === null) {
        throwIfBroken(stream, end)
        return answer.subarray(0, end < 0 ? answer.byteLength : end)
      }
    }
    stream.abort(new Error('the answer is longer than an answer may be'))
    return answer.subarray()
  } catch (err) {
    stream.abort(err instanceof Error ? err : new Error(String(err)))
    throw err
  }
}

/** A stream that was reset reads like one that ended. */
function throwIfBroken(stream: Stream, end: number): void {
  if (end < 0 && (stream.status === 'reset' || stream.status === 'aborted')) {
    throw Object.assign(new Error('the stream was reset'), { name: 'StreamResetError' })
  }
}
