import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HOSTILE_FRAMES } from './hostile-frames.ts'
import { HOSTILE_HANDSHAKES } from './hostile-handshakes.ts'
import { HOSTILE_REQUESTS } from './hostile-requests.ts'
import { countKinds, PER_KIND } from './kinds.ts'

/** Where each kind that has hurt somebody before is tried. */
const KINDS = [
  [HOSTILE_REQUESTS, ['address', 'network name', 'json', 'bytes', 'size', 'size, ended', 'lines in one write']],
  [
    HOSTILE_FRAMES,
    [
      'frame length',
      'syn with a body',
      'window update',
      'stream id',
      'type and version',
      'ping',
      'going away',
      'half a header',
      'half a body',
      'multistream length',
      'multistream word',
      'many streams',
      'multiaddr bomb',
      'rendezvous length',
      'rendezvous message',
    ],
  ],
  [
    HOSTILE_HANDSHAKES,
    ['handshake cut', 'first noise message', 'noise key', 'third noise message', 'another protocol'],
  ],
] as const

describe('the tables of hostile exchanges', () => {
  it(`have ${PER_KIND} or more of each kind, no two alike, 200 and more together`, () => {
    let all = 0
    for (const [table, kinds] of KINDS) {
      const counts = countKinds(table)
      assert.deepEqual([...counts.keys()], [...kinds])
      for (const [kind, count] of counts) {
        const different = new Set(
          table.filter((each) => each.kind === kind).map(({ bytes }) => bytes.toString('latin1')),
        )
        assert.ok(count >= PER_KIND, `${count} of ${kind}`)
        assert.equal(different.size, count, kind)
      }
      all += table.length
    }
    assert.ok(all >= 200, `${all}`)
  })
})
