// Reads the lines of requests from a libp2p stream, with limits on their size, number and time.

import type { Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'

export interface LineLimits {
  /** The most bytes of a line, its line end not counted. */
  readonly maxLineBytes: number
  /** The most lines of a stream, and the most blank lines between them. */
  readonly maxLines: number
  /** How long a line may take, ms, from when it is asked for to its last byte. Blank lines before it give no more time. */
  readonly timeout: number
}

/** A line without its line end, or why there is none. */
export type Line = Uint8Array | 'line_too_long' | 'too_many_lines' | 'timeout'

const LF = 10
const CR = 13

/**
 * Yields the lines of a stream, each as it is asked for. `\r\n` is a line end too, blank lines are skipped, and the last
 * line may end with the half-close. A broken limit is the last item. Rejects when the peer resets the stream, and when
 * the signal fires.
 *
 * It reads with `byteStream`: iterating a libp2p stream after the peer's half-close never ends, and a listener without
 * a bound lets a fast sender fill the memory.
 */
export async function* readLines(stream: Stream, limits: LineLimits, signal: AbortSignal): AsyncGenerator<Line> {
  const { maxLineBytes, maxLines, timeout } = limits
  // A client may send all its lines at once while the first is still being answered.
  const maxBufferSize = maxLines * (maxLineBytes + 2) + maxLineBytes
  const bytes = byteStream(stream, { maxBufferSize })
  const deadline = new Deadline(timeout, signal)
  let unread: Uint8Array = NOTHING
  let scanned = 0
  let ended = false
  let lines = 0
  let blanks = 0

  try {
    while (!ended || unread.length > 0) {
      const end = unread.indexOf(LF, scanned)
      if (end < 0 && !ended && unread.length <= maxLineBytes + 1) {
        scanned = unread.length
        deadline.start()
        const chunk = await bytes.read({ signal: deadline.signal }).catch((err: unknown) => {
          if (deadline.isOver) {
            return 'timeout' as const
          }
          throw err
        })
        if (stream.status === 'reset' || stream.status === 'aborted') {
          throw new Error('the peer reset the stream')
        }
        if (chunk === 'timeout') {
          // After an answered line, silence means that a client which keeps the stream open is done.
          if (lines === 0 || unread.length > 0) {
            yield chunk
          }
          return
        }
        ended = chunk === null
        unread = chunk === null ? unread : join(unread, chunk.subarray())
        continue
      }

      const line = withoutCr(end < 0 ? unread : unread.subarray(0, end))
      if (line.length > maxLineBytes) {
        yield 'line_too_long'
        return
      }
      unread = end < 0 ? NOTHING : unread.subarray(end + 1)
      scanned = 0
      const blank = isBlank(line)
      if (blank ? ++blanks > maxLines : ++lines > maxLines) {
        yield 'too_many_lines'
        return
      }
      if (!blank) {
        deadline.stop()
        yield line
      }
    }
  } finally {
    deadline.end()
    if (!ended && stream.status === 'open') {
      bytes.unwrap()
      discard(stream, maxBufferSize)
    }
  }
}

const NOTHING = new Uint8Array(0)

/**
 * The time that a line may take. One controller serves the whole stream, and no timer runs while a line is there:
 * `AbortSignal.timeout` and `AbortSignal.any` for each line cost more than reading it.
 */
class Deadline {
  isOver = false
  readonly #ms: number
  readonly #outer: AbortSignal
  readonly #controller = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number, outer: AbortSignal) {
    this.#ms = ms
    this.#outer = outer
    outer.addEventListener('abort', this.#onAbort)
    if (outer.aborted) {
      this.#onAbort()
    }
  }

  /** Fires when the time is over, and when the outer signal does. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Starts the timer, unless it runs already. */
  start(): void {
    this.#timer ??= setTimeout(() => {
      this.isOver = true
      this.#controller.abort()
    }, this.#ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  end(): void {
    this.stop()
    this.#outer.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = (): void => this.#controller.abort(this.#outer.reason)
}

/**
 * Discards what still comes, up to a bound: left unread it would fill the buffer and reset the stream before the peer has
 * read our last answer.
 */
function discard(stream: Stream, most: number): void {
  let left = most
  stream.addEventListener('message', ({ data }) => {
    left -= data.byteLength
    if (left < 0) {
      // Not inside the dispatch of the message: the stream continues with it after this listener.
      queueMicrotask(() => stream.abort(new Error('the peer goes on sending to a stream that was answered')))
    }
  })
}

function join(before: Uint8Array, chunk: Uint8Array): Uint8Array {
  return before.length === 0 ? chunk : Buffer.concat([before, chunk])
}

function withoutCr(line: Uint8Array): Uint8Array {
  return line[line.length - 1] === CR ? line.subarray(0, -1) : line
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 32 || byte === 9 || byte === CR)
}
