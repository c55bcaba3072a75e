import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeList } from '../../../src/store/file/entry-codec.ts'
import { nameUseless, uselessText } from '../../../src/store/file/useless-entries.ts'
import { NOW, PEERS } from '../fixtures.ts'

function named(text: string) {
  const bytes = Buffer.from(text)
  return nameUseless(bytes, decodeList(bytes, NOW).useless)
}

const HOME = '/ip4/192.0.2.1/tcp/4001'
const FORMS = 'its address is not /ip4/<IP>/tcp/<port>, /ip6/<IP>/tcp/<port> or <IP>:<port>'
const reasons: Array<[entry: unknown, reason: string]> = [
  ['text', 'it is not a JSON object'],
  [null, 'it is not a JSON object'],
  [{ note: 'x' }, 'it has no address'],
  [{ address: 7 }, 'it has no address'],
  [{ address: HOME, network: 'x'.repeat(256) }, 'its network is not a text of at most 255 bytes'],
  [{ address: '192.0.2.1' }, FORMS],
  [{ address: `/ip4/192.0.2.1/tcp/${'4'.repeat(300)}` }, 'its address is longer than 256 bytes'],
  [{ address: 'seed.example.org:4001' }, 'its address is not a literal IP with TCP'],
  [{ address: '/ip4/192.0.2.1/udp/4001/quic-v1' }, 'its address is not a literal IP with TCP'],
  [{ address: '192.0.2.1:04001' }, 'the IP or the port of its address is not in its canonical form'],
  [{ address: '192.0.2.1:99999' }, 'its port is not a number from 1 to 65535'],
  [{ address: ':4001' }, 'its address has no IP'],
  [{ address: `${HOME}/p2p/${PEERS[0]}x` }, 'what follows /p2p/ is not a PeerId'],
  [
    { address: HOME, expiresAt: '2026-11-22T14:00:00.000Z' },
    'a registration ends with /p2p/<PeerId>; an entry of yours has neither registeredAt nor expiresAt',
  ],
]
for (const [entry, reason] of reasons) {
  test(`an entry of no use: ${JSON.stringify(entry).slice(0, 60)}`, () => {
    const list = `[\n{"address":"${HOME}"},\n${JSON.stringify(entry)}\n]\n`
    assert.deepEqual(named(list), { count: 1, named: [{ line: 3, reason }] })
  })
}

test('lines are counted however the list is laid out', () => {
  const layouts: Array<[text: string, lines: number[]]> = [
    ['[1,2,3]', [1, 1, 1]],
    ['\uFEFF[\r\n  1,\r\n  2\r\n]', [2, 3]],
    ['\n\n[\n"a,]\\"[\\n"\n,\n\n[[1,\n2],{}]\n,{\n"note": "},{",\n"x": [\n]}, null]', [4, 7, 9, 12]],
    ['[]', []],
    ['null', []],
  ]
  for (const [text, lines] of layouts) {
    assert.deepEqual(
      named(text).named.map(({ line }) => line),
      lines,
      text,
    )
  }
})

test('of a list in any layout each entry is found on its own line', () => {
  const gap = fc.stringMatching(/^[ \n\t]{0,3}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.jsonValue(), gap, gap), { maxLength: 10 }), (entries) => {
      let text = '['
      const lines: number[] = []
      for (const [n, [json, before, after]] of entries.entries()) {
        text += (n > 0 ? ',' : '') + before
        lines.push(text.split('\n').length)
        text += JSON.stringify(json, null, 1) + after
      }
      const useless = entries.map(([json], index) => ({ index, json }))
      assert.deepEqual(
        nameUseless(Buffer.from(`${text}]`), useless).named.map(({ line }) => line),
        lines,
      )
    }),
  )
})

test('the first ten are named, and the others are counted', () => {
  const { count, named: first } = named(JSON.stringify(Array.from({ length: 25 }, () => ({}))))
  assert.deepEqual([count, first.length], [25, 10])
  assert.match(
    uselessText({ count, named: first }),
    /^line 1 \(it has no address\), .*\(it has no address\) and 15 more$/,
  )
  assert.equal(uselessText({ count: 1, named: first.slice(1, 2) }), 'line 1 (it has no address)')
})
