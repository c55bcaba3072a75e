import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeList, encodeRecord, encodeStatic } from '../../../src/store/file/entry-codec.ts'
import { isoTime } from '../../../src/store/file/iso-time.ts'
import { HOUR, NOW, PEERS, record } from '../fixtures.ts'

const P = PEERS[0]
const CID = 'bafzaajaiaejcaragu2slyilasu4gimptepln25udgzdv7bh55fmhjbssg7sdq5ij'

function decode(...entries: unknown[]) {
  const { records, writtenAt: _, ...rest } = decodeList(Buffer.from(JSON.stringify(entries)), NOW)
  return { records: [...records.values()], ...rest }
}

function dynamic(over: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...JSON.parse(encodeRecord(record(0))), ...over }
}

test('a registration comes back as it was written, whatever the name of its network', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }).filter((network) => Buffer.byteLength(network) <= 255),
      fc.integer({ min: 0, max: NOW }),
      fc.integer({ min: NOW + 1, max: NOW + 72 * HOUR }),
      fc.integer({ min: 0, max: NOW }),
      (network, registeredAt, expiresAt, provedAt) => {
        const original = record(7, { network, registeredAt, expiresAt, provedAt })
        const text = encodeRecord(original)
        assert(!text.includes('\n'))
        assert.deepEqual(decode(JSON.parse(text)), { records: [original], statics: [], useless: [] })
      },
    ),
  )
})

test('times are written as Date writes them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => isoTime(ms) === new Date(ms).toISOString()),
    { numRuns: 5000 },
  )
  assert.equal(isoTime(0), '1970-01-01T00:00:00.000Z')
})

test('any JSON value in a list is kept as it is, or is a valid registration, or is counted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.jsonValue(), fc.record({ address: fc.jsonValue(), expiresAt: fc.jsonValue() }))),
      (entries) => {
        const json = JSON.parse(JSON.stringify(entries)) as unknown[]
        const { records, statics, useless } = decode(...json)
        assert.equal(records.length, 0)
        const own = json.filter((each) => !Object.hasOwn(Object(each), 'expiresAt'))
        assert.deepEqual(statics.map(encodeStatic), [...new Set(own.map((each) => JSON.stringify(each)))])
        assert.deepEqual(
          useless.map(({ index }) => json[index]),
          useless.map((each) => each.json),
        )
        assert.equal(useless.length, json.length, 'none of them names an address')
      },
    ),
  )
})

const addresses: ReadonlyArray<[json: unknown, registration: unknown]> = [
  [{ address: '203.0.113.7:4001' }, { network: '', address: '/ip4/203.0.113.7/tcp/4001', peerId: undefined }],
  [{ address: '[2001:db8::1]:4001' }, { network: '', address: '/ip6/2001:db8::1/tcp/4001', peerId: undefined }],
  [{ address: '127.0.0.1:3000' }, { network: '', address: '/ip4/127.0.0.1/tcp/3000', peerId: undefined }],
  [
    { address: `/ip4/1.2.3.4/tcp/5/p2p/${P}`, network: 'x' },
    { network: 'x', address: '/ip4/1.2.3.4/tcp/5', peerId: P },
  ],
  [{ address: `/ip4/1.2.3.4/tcp/5/p2p/${CID}` }, { network: '', address: '/ip4/1.2.3.4/tcp/5', peerId: P }],
  [{ address: `/ip4/1.2.3.4/tcp/5/p2p/${P}x` }, undefined],
  [{ address: ':4001' }, undefined],
  [{ address: '/ip4/0.0.0.0/tcp/4001' }, undefined],
  [{ address: '/dns4/example.org/tcp/1' }, undefined],
  [{ address: '127.0.0.1:3000', network: 7 }, undefined],
  [{ address: '127.0.0.1:3000', network: 'x'.repeat(256) }, undefined],
  [{ address: 7 }, undefined],
  [{}, undefined],
  ['127.0.0.1:3000', undefined],
  [null, undefined],
  [[{ expiresAt: 1 }], undefined],
]
for (const [json, registration] of addresses) {
  test(`a static entry: ${JSON.stringify(json).slice(0, 80)}`, () => {
    const useless = registration === undefined ? [{ index: 0, json }] : []
    assert.deepEqual(decode(json), { records: [], statics: [{ json, registration }], useless })
  })
}

const damaged: ReadonlyArray<[what: string, entry: unknown]> = [
  ['no address', dynamic({ address: undefined })],
  ['an address that is no text', dynamic({ address: 7 })],
  ['no PeerId', dynamic({ address: '/ip4/1.2.3.4/tcp/5' })],
  ['the form host:port', dynamic({ address: '1.2.3.4:5' })],
  ['a PeerId that is none', dynamic({ address: `/ip4/1.2.3.4/tcp/5/p2p/${P.slice(0, -1)}` })],
  ['every interface', dynamic({ address: `/ip4/0.0.0.0/tcp/5/p2p/${P}` })],
  ['a name', dynamic({ address: `/dns4/example.org/tcp/5/p2p/${P}` })],
  ['a form that is not canonical', dynamic({ address: `/ip6/2001:DB8::1/tcp/5/p2p/${P}` })],
  ['port 0', dynamic({ address: `/ip4/1.2.3.4/tcp/0/p2p/${P}` })],
  ['a network that is no text', dynamic({ network: {} })],
  ['a network of 256 bytes', dynamic({ network: 'ä'.repeat(128) })],
  ['a network with half a character', dynamic({ network: '\ud800' })],
]
for (const [what, entry] of damaged) {
  test(`a registration with ${what} is left out and named`, () => {
    const json = JSON.parse(JSON.stringify(entry))
    assert.deepEqual(decode(dynamic(), entry), { records: [record(0)], statics: [], useless: [{ index: 1, json }] })
  })
}

test('times that can not be are mended', () => {
  const far = '2999-01-01T00:00:00.000Z'
  const { records } = decode(
    dynamic({ registeredAt: far, provedAt: far, expiresAt: far }),
    dynamic({ network: 'a', expiresAt: undefined }),
    dynamic({ network: 'b', expiresAt: 'soon', registeredAt: 'long ago', provedAt: 7 }),
    dynamic({ network: 'c', expiresAt: 1e99, registeredAt: null, provedAt: undefined }),
  )
  assert.deepEqual(
    records.map(({ registeredAt, provedAt, expiresAt }) => [registeredAt, provedAt, expiresAt]),
    [
      [NOW, NOW, NOW + 72 * HOUR],
      [NOW - HOUR, NOW - HOUR / 2, NOW + 2 * HOUR],
      [NOW, 0, NOW + 2 * HOUR],
      [NOW, 0, NOW + 2 * HOUR],
    ],
  )
})

test('of two registrations with one key the last counts, of two equal static entries the first', () => {
  const other = { address: '/ip4/127.0.0.1/tcp/3000', note: 2 }
  const { records, statics } = decode(
    dynamic(),
    { address: '127.0.0.1:3000' },
    dynamic({ expiresAt: isoTime(NOW + 5000) }),
    other,
    'x',
    'x',
    { ...other, network: 'y' },
  )
  assert.deepEqual(records, [record(0, { expiresAt: NOW + 5000 })])
  assert.deepEqual(
    statics.map((entry) => entry.json),
    [{ address: '127.0.0.1:3000' }, 'x', { ...other, network: 'y' }],
  )
})

for (const text of [
  '',
  ' ',
  '{}',
  '7',
  '"x"',
  'true',
  '[',
  '[{]',
  '[]x',
  'nul',
  `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
]) {
  test(`no list: ${text.slice(0, 10)}`, () => {
    assert.throws(() => decodeList(Buffer.from(text), NOW), /JSON|stack/)
  })
}

test('own members of a static entry stay, even __proto__', () => {
  const text = '[{"address":"127.0.0.1:3000","__proto__":{"a":1},"n":1.5}]'
  const { statics } = decodeList(Buffer.from(text), NOW)
  assert.equal(`[${statics.map(encodeStatic)}]`, text)
})
