import { RENDEZVOUS_PROTOCOL } from '../../src/wire/rendezvous-messages.ts'
import {
  ACK,
  ASKS_BOOTSTRAP,
  DATA,
  FIN,
  frame,
  GO_AWAY,
  negotiate,
  PING,
  RST,
  SYN,
  WINDOW_UPDATE,
} from '../support/raw-peer.ts'
import { byKind, type Hostile } from './kinds.ts'

const U32 = 0xff_ff_ff_ff
const ASKS_RENDEZVOUS = negotiate('/multistream/1.0.0', RENDEZVOUS_PROTOCOL)
const ASK = frame(DATA, SYN, 1, ASKS_BOOTSTRAP)
const BODY = Buffer.from('{}\n')
const LENGTHS = [262_143, 262_144, 262_145, 1 << 20, 2 ** 31 - 1, 2 ** 31, U32 - 12, U32]

/** Bytes behind the Noise handshake that no yamux or multistream of good will sends. */
export const HOSTILE_FRAMES: readonly Hostile[] = byKind({
  'frame length': [
    ...LENGTHS.map((length) => frame(DATA, SYN, 1, 0, length)),
    ...LENGTHS.map((length) => Buffer.concat([ASK, frame(DATA, 0, 1, 0, length)])),
    ...LENGTHS.map((length) => Buffer.concat([frame(DATA, 0, 999, 0, length), Buffer.alloc(1000)])),
  ],
  // CVE-2026-32314: SYN with a body of one byte more than the window, whole this time; and its neighbours.
  'syn with a body': [262_143, 262_144, 262_145, 262_146, 300_000].map((length) =>
    frame(DATA, SYN, 1, Buffer.alloc(length)),
  ),
  // CVE-2026-31814: windows that add up to more than 32 bits.
  'window update': [
    Buffer.concat([ASK, frame(WINDOW_UPDATE, 0, 1, U32), frame(WINDOW_UPDATE, 0, 1, U32), frame(DATA, 0, 1, BODY)]),
    Buffer.concat([frame(WINDOW_UPDATE, SYN, 1, U32), frame(WINDOW_UPDATE, 0, 1, U32)]),
    Buffer.concat([ASK, ...Array<Buffer>(50).fill(frame(WINDOW_UPDATE, 0, 1, 2 ** 31))]),
    frame(WINDOW_UPDATE, 0, 4242, U32),
    frame(WINDOW_UPDATE, SYN | ACK | FIN | RST, 1, U32),
    Buffer.concat([ASK, frame(WINDOW_UPDATE, 0, 1, 0), frame(WINDOW_UPDATE, 0, 1, 0)]),
  ],
  'stream id': [
    frame(DATA, 0, 77, BODY),
    frame(DATA, SYN, 2, BODY),
    frame(DATA, SYN, 0, BODY),
    frame(WINDOW_UPDATE, SYN, 0),
    frame(DATA, SYN, U32, BODY),
    Buffer.concat([ASK, frame(DATA, SYN, 1, ASKS_BOOTSTRAP)]),
    Buffer.concat([frame(DATA, FIN, 1, BODY), frame(DATA, RST, 3, BODY), frame(DATA, ACK, 5, BODY)]),
    Buffer.concat([ASK, frame(DATA, RST, 1), frame(DATA, 0, 1, BODY), frame(DATA, FIN, 1)]),
    Buffer.concat([ASK, frame(DATA, FIN, 1), frame(DATA, FIN, 1), frame(DATA, 0, 1, BODY)]),
  ],
  'type and version': [
    frame(4, 0, 1),
    frame(255, 0xffff, 1),
    Buffer.concat([Buffer.of(1), frame(DATA, SYN, 1).subarray(1)]),
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.alloc(4096, 0xff),
    Buffer.alloc(4096),
    frame(PING, 0, 0),
    frame(PING, SYN | ACK, 0, 1),
    frame(PING, SYN, 5, 1),
  ],
  ping: [
    frame(PING, ACK, 0, 7),
    frame(PING, SYN, 0, U32),
    ...[10, 500, 1500, 5000, 20_000].map((count) => Buffer.concat(Array<Buffer>(count).fill(frame(PING, SYN, 0, 1)))),
  ],
  'going away': [0, 1, 2, 3, U32].map((code) => Buffer.concat([ASK, frame(GO_AWAY, 0, 0, code)])),
  'half a header': Array.from({ length: 11 }, (_, i) => frame(DATA, SYN, 1, BODY).subarray(0, i + 1)),
  'half a body': [1, 5, 100, 1000, 65_535].map((length) => frame(DATA, SYN, 1, 0, length)),
  'multistream length': [
    Buffer.alloc(10, 0xff),
    Buffer.alloc(9, 0x80),
    Buffer.of(0),
    Buffer.of(0x80, 0x00),
    Buffer.concat([Buffer.of(0xff, 0xff, 0x7f), Buffer.alloc(5000, 97)]),
    Buffer.concat([Buffer.of(0x81, 0x08), Buffer.alloc(1025, 97)]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]),
  ].map((bytes) => frame(DATA, SYN, 1, bytes)),
  'multistream word': [
    negotiate('/multistream/2.0.0'),
    negotiate('/multistream/1.0.0', '/bootstrap/9.9.9'),
    negotiate('/multistream/1.0.0', 'ls'),
    negotiate('/multistream/1.0.0', ...Array<string>(400).fill('na')),
    negotiate('/multistream/1.0.0', '/\u001b[2J\u0007\u2028'),
    negotiate('/multistream/1.0.0', ''),
    Buffer.concat([ASKS_BOOTSTRAP, ASKS_BOOTSTRAP]),
  ].map((bytes) => frame(DATA, SYN, 1, bytes)),
  'many streams': [11, 33, 64, 200, 1000].map((count) =>
    Buffer.concat(Array.from({ length: count }, (_, i) => frame(DATA, SYN, 2 * i + 1, ASKS_BOOTSTRAP))),
  ),
  'multiaddr bomb': [200, 2000, 50_000].flatMap((components) => {
    const [many, one] = ['/ip4/127.0.0.1'.repeat(components), `/dns4/${'a'.repeat(9 * components)}`]
    return [many, one].map((address) => asked(ASKS_BOOTSTRAP, Buffer.from(`${JSON.stringify({ address })}\n`)))
  }),
  'rendezvous length': [
    Buffer.alloc(10, 0xff),
    Buffer.alloc(9, 0x80),
    Buffer.of(0),
    Buffer.of(0x80, 0),
    Buffer.of(0xff, 0xff, 0xff, 0xff, 0x0f),
    Buffer.concat([Buffer.of(0xff, 0x7f), Buffer.alloc(100)]),
  ].map((bytes) => asked(ASKS_RENDEZVOUS, bytes)),
  // A message is its length and its fields; a field is its number and its wire type in one byte, and what the type says.
  'rendezvous message': [
    Buffer.of(1, 0x08),
    Buffer.of(2, 0x08, 0x7f),
    Buffer.concat([Buffer.of(11, 0x08), Buffer.alloc(10, 0xff)]),
    Buffer.of(6, 0x08, 0, 0x12, 0xff, 0xff, 0x03),
    Buffer.of(4, 0x08, 0, 0x12, 0),
    Buffer.concat([Buffer.of(200, 1), Buffer.alloc(200, 0x0b)]),
    Buffer.concat([Buffer.of(8, 0x08, 3, 0x2a, 4, 0x1a, 2), Buffer.of(0xff, 0xfe)]),
    Buffer.concat([Buffer.of(60, 0x08, 0, 0x12, 56, 0x0a, 4, 0xc3, 0x28, 0xff, 0, 0x12, 46), Buffer.alloc(46, 1)]),
  ].map((bytes) => asked(ASKS_RENDEZVOUS, bytes)),
})

/** A stream of that protocol with these bytes, in frames that fit, and its end. */
function asked(protocol: Buffer, bytes: Buffer): Buffer {
  const size = 64 * 1024
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
  const all = [frame(DATA, SYN, 1, protocol), ...pieces.map((piece) => frame(DATA, 0, 1, piece)), frame(DATA, FIN, 1)]
  return Buffer.concat(all)
}
