// The memory budget for answers that remote peers are slow to read.

/** The reader that an answer waits for. */
export interface Reader {
  abort(reason: Error): void
}

/**
 * Bytes of all answers together that wait for their readers: 24 of the longest, 200 of default length. A waiting answer
 * is in memory as text, as bytes and in part encrypted, so that the memory is two to three times as much.
 */
export const MAX_UNREAD_BYTES = 12 * 1024 * 1024

/**
 * The answers that wait for slow readers. When they are over the budget together, the longest is given up first, and of
 * equals the one that waits longest. Without it, 500 peers that asked for the longest answer and read nothing took 400 MB.
 */
export class UnreadAnswers {
  readonly #maxBytes: number
  readonly #waiting = new Map<Reader, number>()
  #bytes = 0

  constructor(maxBytes: number = MAX_UNREAD_BYTES) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether more than half of the budget is taken. */
  get isCrowded(): boolean {
    return this.#bytes > this.#maxBytes / 2
  }

  /** An answer begins to wait. Aborts readers while the budget is exceeded, this one included. */
  wait(reader: Reader, bytes: number): void {
    this.end(reader)
    this.#waiting.set(reader, bytes)
    this.#bytes += bytes
    while (this.#bytes > this.#maxBytes) {
      const longest = this.#longest()
      this.end(longest)
      longest.abort(new Error('the answer was not read, and its memory is needed'))
    }
  }

  /** The answer was read, or its reader is gone. Idempotent. */
  end(reader: Reader): void {
    this.#bytes -= this.#waiting.get(reader) ?? 0
    this.#waiting.delete(reader)
  }

  #longest(): Reader {
    let longest: readonly [Reader | undefined, number] = [undefined, 0]
    for (const entry of this.#waiting) {
      longest = entry[1] > longest[1] ? entry : longest
    }
    return longest[0]!
  }
}
