import { negotiate } from '../support/raw-peer.ts'
import { byKind, type Hostile } from './kinds.ts'

const HELLO = negotiate('/multistream/1.0.0', '/noise')
const FIRST = Buffer.concat([HELLO, Buffer.of(0, 32), Buffer.alloc(32, 9)])

/** What no Noise handshake of good will is: cut after each byte, of wrong lengths, or no handshake at all. */
export const HOSTILE_HANDSHAKES: readonly Hostile[] = byKind({
  'handshake cut': Array.from({ length: FIRST.length }, (_, i) => FIRST.subarray(0, i + 1)),
  'first noise message': [0, 1, 31, 33, 65_535].map((length) =>
    Buffer.concat([HELLO, lengthOf(length), Buffer.alloc(64, 9)]),
  ),
  // No key at all, one of low order, and the prime of the field and its neighbours.
  'noise key': [
    Buffer.alloc(32),
    Buffer.alloc(32, 1),
    Buffer.from(`01${'00'.repeat(31)}`, 'hex'),
    ...['ec', 'ed', 'ee'].map((low) => Buffer.from(`${low}${'ff'.repeat(30)}7f`, 'hex')),
  ].map((key) => Buffer.concat([HELLO, lengthOf(32), key])),
  'third noise message': [1, 2, 3, 16, 64, 200, 65_535].map((length) =>
    Buffer.concat([FIRST, lengthOf(length), Buffer.alloc(Math.min(length, 300), 1)]),
  ),
  'another protocol': [
    Buffer.alloc(10, 0xff),
    Buffer.alloc(70_000, 0xff),
    Buffer.alloc(100),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from('SSH-2.0-OpenSSH_9.9\r\n'),
    Buffer.from('16030100c8010000c40303', 'hex'),
    negotiate('/multistream/1.0.0', '/plaintext/2.0.0'),
  ],
})

function lengthOf(length: number): Buffer {
  const header = Buffer.alloc(2)
  header.writeUInt16BE(length)
  return header
}
