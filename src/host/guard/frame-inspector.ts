// Reads the headers of yamux frames before yamux does: refuses invalid ones and counts their cost.

import type { Uint8ArrayList } from 'uint8arraylist'

/**
 * The longest body of a data frame, bytes: the receive window of a stream, which yamux itself would refuse to exceed.
 */
export const MAX_FRAME_BYTES = 256 * 1024

/** The most work of one piece: 5 ms. */
export const MAX_PIECE_WORK = 512

/** What a chunk of a connection costs to serve. */
export interface FrameTally extends FrameCost {
  /** Where to cut the chunk so that no piece is more than {@link MAX_PIECE_WORK}; ascending. */
  readonly cuts: readonly number[]
}

interface FrameCost {
  /** The price, in units of about 10 µs. */
  readonly work: number
  /** Whether it opens a stream, which may carry a request. */
  readonly opens: boolean
  /** Whether it uses a stream; pings and window updates of the connection do not count. */
  readonly uses: boolean
}

/**
 * Reads the headers of yamux frames as they arrive, before yamux does.
 *
 * Yamux buffers a data frame until all of it is there, and compares its length with the window only then: 12 bytes
 * that announce 4 GiB had one connection fill 674 MB (@libp2p/yamux 8.0.3, decode.ts). And it processes everything
 * that one read of a socket holds without a pause: 5,000 streams opened and reset, or 5,000 pings to be answered. So
 * each chunk is priced before any of it is served, and an expensive chunk is served in pieces.
 */
export class FrameInspector {
  readonly #maxFrameBytes: number
  /** The header that is being read. */
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerBytes = 0
  /** Bytes of the current frame's body that are still to come. */
  #body = 0

  constructor(maxFrameBytes: number = MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Whether the last frame is incomplete. */
  get unfinished(): boolean {
    return this.#headerBytes > 0 || this.#body > 0
  }

  /** Returns the price of the next bytes; undefined when they hold a frame that no honest peer sends. */
  inspect(chunk: Uint8Array | Uint8ArrayList): FrameTally | undefined {
    let work = 0
    let opens = false
    let uses = false
    let [before, pieceWork] = [0, 0]
    const cuts: number[] = []
    for (const bytes of chunk instanceof Uint8Array ? [chunk] : chunk) {
      let at = 0
      while (at < bytes.byteLength) {
        if (this.#body > 0) {
          const skipped = Math.min(this.#body, bytes.byteLength - at)
          this.#body -= skipped
          at += skipped
          continue
        }
        const wanted = bytes.subarray(at, at + HEADER_BYTES - this.#headerBytes)
        this.#header.set(wanted, this.#headerBytes)
        this.#headerBytes += wanted.byteLength
        at += wanted.byteLength
        if (this.#headerBytes < HEADER_BYTES) {
          break
        }
        this.#headerBytes = 0
        const frame = this.#read()
        if (frame === undefined) {
          return undefined
        }
        work += frame.work
        opens ||= frame.opens
        uses ||= frame.uses
        pieceWork += frame.work
        if (pieceWork > MAX_PIECE_WORK - OPEN_WORK) {
          cuts.push(before + at)
          pieceWork = 0
        }
      }
      before += bytes.byteLength
    }
    return { work, opens, uses, cuts }
  }

  #read(): FrameCost | undefined {
    const { buffer, byteOffset } = this.#header
    const view = new DataView(buffer, byteOffset)
    const type = view.getUint8(1)
    const length = view.getUint32(8)
    if (view.getUint8(0) !== 0 || type > GO_AWAY || (type === DATA && length > this.#maxFrameBytes)) {
      return undefined
    }
    if (type === DATA) {
      this.#body = length
    }
    if (type === PING || type === GO_AWAY) {
      return { work: PING_WORK, opens: false, uses: false }
    }
    const opens = (view.getUint16(2) & SYN) !== 0
    return { work: opens ? OPEN_WORK : FRAME_WORK, opens, uses: opens || type === DATA }
  }
}

// https://github.com/hashicorp/yamux/blob/master/spec.md
const HEADER_BYTES = 12
const DATA = 0
const PING = 2
const GO_AWAY = 3
const SYN = 1

/** Prices in units of about 10 µs, measured on this node: a stream is negotiated, a ping is answered. */
const FRAME_WORK = 1
const PING_WORK = 4
const OPEN_WORK = 48
