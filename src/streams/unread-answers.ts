/** Who an answer waits for. */
export interface Reader {
  abort(reason: Error): void
}

/**
 * What all answers together may keep waiting for their readers, bytes: 24 of the longest, 200 of default length. While
 * it waits an answer is here as text, as bytes and in part encrypted, so that the memory is two to three times as much.
 */
export const MAX_UNREAD_BYTES = 12 * 1024 * 1024

/**
 * The answers that somebody is slow to read. When they are too much together, the longest goes first, and of equals the
 * one that waits longest: 500 peers that asked for the longest answer and read nothing took 400 MB.
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

  /** Whether more than half of the room is taken. */
  get isCrowded(): boolean {
    return this.#bytes > this.#maxBytes / 2
  }

  /** An answer begins to wait. Readers may be given up for it, this one too. */
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

  /** It was read, or nobody will. Idempotent. */
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
