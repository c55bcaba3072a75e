// Reads and writes length-prefixed messages on a stream, within limits.

import type { Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { encodeVarint, MAX_VARINT_BYTES, ProtobufError, readVarint } from '../wire/protobuf.ts'
import { sendAll, type WriteLimits } from './send.ts'

export interface MessageLimits {
  /** The most bytes of a message, its length prefix not counted. */
  readonly maxBytes: number
  /** How long a message may take, ms, from when it is asked for to its last byte. */
  readonly timeout: number
}

/** Bytes of a message; of one that is too long only the first, which say its type. */
export type Frame = Uint8Array | { readonly tooLong: Uint8Array }

/** Bytes read of a message that is too long: its type. */
const BEGINNING_BYTES = 2

/**
 * Yields the messages of a stream, each behind its length as a varint, as they are asked for. Ends with the half-close,
 * with silence between two messages, and after a message that is too long. Rejects when a message breaks off, when the
 * peer resets the stream, and when the signal fires.
 */
export async function* readMessages(
  stream: Stream,
  { maxBytes, timeout }: MessageLimits,
  signal: AbortSignal,
): AsyncGenerator<Frame, undefined> {
  // A client may send a few messages at once while the first is still being answered.
  const bytes = byteStream(stream, { maxBufferSize: 4 * (maxBytes + MAX_VARINT_BYTES) })
  for (let first = true; ; first = false) {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
    const read = async (count: number) => (await bytes.read({ bytes: count, signal: deadline })).subarray()
    const length = await readLength(read).catch((err: unknown) => {
      const silent = deadline.aborted && !signal.aborted && !first
      if (silent || (isEnd(err) && stream.status !== 'reset' && stream.status !== 'aborted')) {
        return undefined
      }
      throw err
    })
    if (length === undefined) {
      return
    }
    if (length > maxBytes) {
      yield { tooLong: await read(BEGINNING_BYTES) }
      return
    }
    yield length === 0 ? new Uint8Array(0) : await read(length)
  }
}

/** Writes a message after its length, as {@link sendAll} does. */
export async function writeMessage(
  stream: Stream,
  message: Uint8Array,
  limits: WriteLimits,
  signal: AbortSignal,
): Promise<void> {
  await sendAll(stream, Buffer.concat([encodeVarint(message.length), message]), limits, signal)
}

async function readLength(read: (count: number) => Promise<Uint8Array>): Promise<number> {
  const prefix: number[] = []
  do {
    if (prefix.length === MAX_VARINT_BYTES) {
      throw new ProtobufError('a length has more than 64 bits')
    }
    prefix.push((await read(1))[0]!)
  } while (prefix.at(-1)! >= 0x80)
  return readVarint(Uint8Array.from(prefix), 0).value
}

/** Whether the peer closed its side before a message began. */
function isEnd(err: unknown): boolean {
  return err instanceof Error && err.name === 'UnexpectedEOFError'
}
