import type { Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { Uint8ArrayList } from 'uint8arraylist'

export interface LineLimits {
  /** The most bytes of a line, its line end not counted. */
  readonly maxLineBytes: number
  /** The most lines of a stream, blank ones not counted. */
  readonly maxLines: number
  /** How long a line may take, in ms, from when it is asked for to its last byte. */
  readonly timeout: number
}

/** A line without its line end, or why there is none. */
export type Line = Uint8Array | 'line_too_long' | 'too_many_lines' | 'timeout'

const LF = 10
const CR = 13

/**
 * The lines of a stream, as they are asked for. `\r\n` is a line end too, blank lines are passed over, and the last
 * line may end with the half-close. What breaks a limit comes as the last item.
 *
 * It reads with `byteStream`: iterating a libp2p stream after the peer's half-close never ends, and a listener without
 * a bound lets a fast sender fill the memory. A stream that the peer reset ends without its last half line.
 */
export async function* readLines(stream: Stream, limits: LineLimits, signal: AbortSignal): AsyncGenerator<Line> {
  // A client may send all its lines at once while the first is still being answered.
  const bytes = byteStream(stream, { maxBufferSize: limits.maxLines * (limits.maxLineBytes + 2) + limits.maxLineBytes })
  const pending = new Uint8ArrayList()
  let lines = 0
  let blanks = 0

  while (true) {
    const deadline = AbortSignal.timeout(limits.timeout)
    const either = AbortSignal.any([deadline, signal])
    let end = pending.indexOf(LINE_FEED)
    let ended = false
    while (end < 0 && pending.byteLength <= limits.maxLineBytes + 1) {
      const scanned = pending.byteLength
      let chunk: Uint8ArrayList | null
      try {
        chunk = await bytes.read({ signal: either })
      } catch (err) {
        if (deadline.aborted && !signal.aborted) {
          // Silence after an answered line is how a client that keeps the stream open says that it is done.
          if (lines === 0 || pending.byteLength > 0) {
            yield 'timeout'
          }
          return
        }
        throw err
      }
      if (chunk === null) {
        if (stream.status === 'reset' || stream.status === 'aborted') {
          return
        }
        ended = true
        break
      }
      pending.append(chunk)
      end = pending.indexOf(LINE_FEED, scanned)
    }

    const length = end < 0 ? pending.byteLength : end
    const line = pending.subarray(0, length)
    const text = line[length - 1] === CR ? line.subarray(0, -1) : line
    if (text.length > limits.maxLineBytes) {
      yield 'line_too_long'
      return
    }
    pending.consume(end < 0 ? length : length + 1)
    if (isBlank(text)) {
      // Blank lines are free, but not without end.
      if (++blanks > limits.maxLines) {
        yield 'too_many_lines'
        return
      }
    } else {
      if (++lines > limits.maxLines) {
        yield 'too_many_lines'
        return
      }
      yield text
    }
    if (ended) {
      return
    }
  }
}

const LINE_FEED = Uint8Array.of(LF)

function isBlank(text: Uint8Array): boolean {
  return text.every((byte) => byte === 32 || byte === 9 || byte === CR)
}
