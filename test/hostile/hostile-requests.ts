import { byKind, type Hostile } from './kinds.ts'

const request = (fields: object) => JSON.stringify({ ...fields, explain: true })
const PEER_ID = '12D3KooWLwHhM7PvzVdTtRyEqHoeFvUmLjpSgvuEqYzYUt1yzzxX'

/** Addresses that fool `multiaddr()`, `isPrivate()` or a resolver. */
const ADDRESSES = [
  '/unix/tmp/x.sock',
  '/unix/%2Ftmp%2Fx.sock',
  '/ip4/127.0.0.1/tcp/4001/p2p/\u0000',
  `/ip4/127.0.0.1/tcp/4001/p2p/${PEER_ID}\n`,
  `/ip4/127.0.0.1/tcp/4001/p2p/${PEER_ID}`,
  '/dns4/\u001b[31mred/tcp/4001',
  `/dns4/${'a'.repeat(300)}/tcp/4001`,
  '/dns4/LOCALHOST/tcp/4001',
  '/dns/169.254.169.254.nip.io/tcp/4001',
  '/dnsaddr/bootstrap.libp2p.io',
  'localhost:4001',
  '/ip4/127.0.0.1/tcp/0',
  '/ip4/127.0.0.1/tcp/65536',
  '/ip4/127.0.0.1/tcp/99999999999999999999',
  '/ip4/127.0.0.1/tcp/-1',
  '/ip4/127.0.0.1/tcp/0x1000',
  '/ip4/127.0.0.1/tcp/04001',
  '/ip4/127.0.0.1/tcp/22',
  '/ip4/127.0.0.1/ipcidr/8/tcp/4001',
  '/ip4/127.1/tcp/4001',
  '/ip4/0177.0.0.1/tcp/4001',
  '/ip4/2130706433/tcp/4001',
  '/ip4/127.0.0.1/udp/4001/quic-v1',
  '/ip4/127.0.0.1/tcp/4001/ws',
  `/ip4/127.0.0.1/tcp/4001/p2p/${PEER_ID}/p2p-circuit/p2p/${PEER_ID}`,
  '/ip4/224.0.0.1/tcp/4001',
  '/ip4/255.255.255.255/tcp/4001',
  '/ip4/169.254.169.254/tcp/8080',
  '/ip4/127.0.0.2/tcp/4001',
  '/ip4/10.0.0.1/tcp/4001',
  '/ip4/8.8.8.8/tcp/4001',
  '/ip6/64:ff9b::7f00:1/tcp/4001',
  '/ip6/::7f00:1/tcp/4001',
  '/ip6/::ffff:7f00:1/tcp/4001',
  '/ip6/::ffff:10.0.0.1/tcp/4001',
  '/ip6/fec0::1/tcp/4001',
  '/ip6/2002:7f00:1::/tcp/4001',
  '/ip6/fd00::1/tcp/4001',
  '/ip6/fe80::1/tcp/4001',
  '/ip6zone/lo/ip6/fe80::1/tcp/4001',
  '/ip6/fe80::1%lo/tcp/4001',
  '/ip6/ff02::1/tcp/4001',
  '/ip6/::/tcp/4001',
  '/ip4/0.0.0.0/tcp/4001',
  '/ip6/::1/tcp/4001',
  '/'.repeat(4000),
  '/ip4/127.0.0.1'.repeat(400),
  '/ip4/127.0.0.1/tcp/4001\r\nSet-Cookie: x',
  '\u202e/ip4/127.0.0.1/tcp/4001',
  '',
]

const NUMBERS = [
  '1e999',
  '-1e999',
  '9007199254740993',
  '-1',
  '1.5',
  '1e-400',
  '"60"',
  'null',
  '[60]',
  '{"a":1}',
  'true',
]

/** JSON that some reader stumbles over. */
const JSONS = [
  '['.repeat(8192),
  '['.repeat(4000) + ']'.repeat(4000),
  '{"a":'.repeat(1600),
  `${'{"a":'.repeat(1300)}1${'}'.repeat(1300)}`,
  '{"__proto__":{"network":"evil"},"explain":true}',
  '{"constructor":{"prototype":{"x":1}},"explain":true}',
  '{"__proto__":null,"address":"/ip4/127.0.0.1/tcp/22","explain":true}',
  '{"network":"a","network":"b","explain":true}',
  '{"address":{"toString":"x"}}',
  '{"addresses":{"length":8}}',
  '{"addresses":"/ip4/127.0.0.1/tcp/4001"}',
  `{"addresses":[${Array(9).fill('"/ip4/127.0.0.1/tcp/22"').join(',')}]}`,
  `{"addresses":[${Array(2000).fill('""').join(',')}]}`,
  `[${Array(9).fill('{"address":"/ip4/127.0.0.1/tcp/22"}').join(',')}]`,
  '[{"network":"a"},{"network":"b"}]',
  '[null]',
  '[[]]',
  'null',
  '"text"',
  '0',
  'NaN',
  'Infinity',
  "{'address':1}",
  '{"a":1,}',
  '{}{}',
  '{}\u0000',
  '{"network":"\\ud800"}',
  '{"network":"\\u0000\\n\\u001b[2J"}',
  `{"network":"${'n'.repeat(256)}"}`,
  `{"network":"${'é'.repeat(128)}"}`,
  '{"network":1}',
  '{"explain":"yes"}',
  '{"explain":true,"limit":100000000}',
  '{"ttl":0,"addresses":["/ip4/1.2.3.4/tcp/1"],"explain":true}',
  ...NUMBERS.map((number) => `{"ttl":${number},"explain":true}`),
  ...NUMBERS.map((number) => `{"limit":${number},"explain":true}`),
]

/** Bytes that are no UTF-8, or no text. */
const BYTES = [
  Buffer.of(0xff),
  Buffer.of(0xc3, 0x28),
  Buffer.of(0xc0, 0x80),
  Buffer.of(0xed, 0xa0, 0x80),
  Buffer.of(0xf4, 0x90, 0x80, 0x80),
  Buffer.of(0xe2, 0x82),
  Buffer.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d),
  Buffer.concat([Buffer.from('{"network":"'), Buffer.of(0xff, 0xfe), Buffer.from('"}')]),
  Buffer.of(0),
  Buffer.alloc(100, 0),
  Buffer.alloc(100, 0xff),
  Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
]

/** Around the limits: a line has at most 8192 bytes, a stream 16 lines. */
const SIZES = [0, 1, 2, 4095, 4096, 4097, 8190, 8191, 8192, 8193, 8194, 16_384, 65_536, 139_000].map((bytes) =>
  Buffer.from(bytes < 10 ? ' '.repeat(bytes) : `{"x":"${'x'.repeat(bytes - 8)}"}`),
)

const LINES = [
  '\n',
  '\r\n',
  '\r',
  '\n'.repeat(15),
  '\n'.repeat(17),
  '\n'.repeat(5000),
  '{}\n'.repeat(2),
  '{}\n'.repeat(16),
  '{}\n'.repeat(17),
  '{}\n{\n{}\n',
  '{}\r\n\r\n{}\r\n',
  ' {}\n\t{}\n',
  `{}\n${'x'.repeat(9000)}\n{}\n`,
  '{}\u2028{}\n',
  '{"explain":true}\n{"explain":false}\n[]\n',
]

/** A request as a client would send it, for cutting at each byte. */
export const REFERENCE = Buffer.from(
  `${request({ addresses: ['/ip4/127.0.0.1/tcp/22'], network: 'honest', ttl: 60 })}\n`,
)

/** Requests that no honest client sends. None of them is ever listed. */
export const HOSTILE_REQUESTS: readonly Hostile[] = byKind({
  address: ADDRESSES.map((address) => Buffer.from(`${request({ address })}\n`)),
  'network name': ADDRESSES.map((network) => Buffer.from(`${request({ network })}\n`)),
  json: JSONS.map((json) => Buffer.from(`${json}\n`)),
  bytes: BYTES,
  size: SIZES,
  'size, ended': SIZES.map((bytes) => Buffer.concat([bytes, Buffer.from('\n')])),
  'lines in one write': LINES.map((lines) => Buffer.from(lines)),
})
