import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { editGuard, lossBy } from '../../../src/store/file/edit-guard.ts'
import { HOUR, NOW, record, staticEntry } from '../fixtures.ts'

const GREAT = { dropped: 11, of: 20 }

describe('an edit of the list', () => {
  const cases: Array<[dropped: number, of: number, refused: boolean]> = [
    [20, 20, true],
    [11, 20, true],
    [10, 20, false],
    [19, 19, false],
    [0, 0, false],
    [500_001, 1_000_000, true],
    [500_000, 1_000_000, false],
  ]
  for (const [dropped, of, refused] of cases) {
    it(`that leaves out ${dropped} of ${of} registrations is ${refused ? 'refused' : 'taken'}`, () => {
      const refusal = editGuard().refusal('a', { dropped, of }, 0)
      assert.deepEqual(refusal, refused ? { outcome: 'refused', dropped, of, confirmIn: 5000 } : undefined)
    })
  }

  /** Each signal, at so many ms with this content: what is left to wait for, or `taken`. */
  const signals: Array<
    [what: string, ...Array<[at: number | undefined, hash: string, then: number | undefined | 'taken']>]
  > = [
    ['again after 5 s', [0, 'a', 5000], [5000, 'a', 'taken']],
    ['again after a minute', [7, 'a', 5000], [60_007, 'a', 'taken']],
    ['again too soon, and again', [0, 'a', 5000], [4999, 'a', 1], [5000, 'a', 'taken']],
    ['again too late, which is a first time', [0, 'a', 5000], [60_001, 'a', 5000], [65_001, 'a', 'taken']],
    [
      'with another content, which is a first time',
      [0, 'a', 5000],
      [6000, 'b', 5000],
      [7000, 'a', 5000],
      [12_000, 'a', 'taken'],
    ],
    ['when it was only found before', [undefined, 'a', undefined], [6000, 'a', 5000], [11_000, 'a', 'taken']],
    ['and found in between', [0, 'a', 5000], [undefined, 'a', undefined], [5000, 'a', 'taken']],
    ['once more after it was taken', [0, 'a', 5000], [5000, 'a', 'taken'], [10_000, 'a', 5000]],
  ]
  for (const [what, ...steps] of signals) {
    it(`is confirmed by its content, signalled ${what}`, () => {
      const guard = editGuard()
      for (const [at, hash, then] of steps) {
        const refusal = guard.refusal(hash, GREAT, at)
        assert.deepEqual(refusal === undefined ? 'taken' : refusal.confirmIn, then, `at ${at}`)
      }
    })
  }

  it('is not confirmed when something else was signalled in between', () => {
    const guard = editGuard()
    guard.refusal('a', GREAT, 0)
    guard.forget()
    assert.equal(guard.refusal('a', GREAT, 6000)?.confirmIn, 5000)
    guard.refusal('small', { dropped: 1, of: 20 }, 7000)
    assert.equal(guard.refusal('a', GREAT, 12_000)?.confirmIn, 5000)
  })
})

it('an edit loses what was listed, is alive and is not in it any more, as a registration or as an entry of the operator', () => {
  const known = [
    record(1),
    record(2),
    record(3, { registeredAt: NOW - 1 }),
    record(4, { expiresAt: NOW }),
    record(5),
    record(6, { network: 'chain' }),
  ]
  const { network, peerId, address } = record(5)
  const mine = { json: {}, registration: { network, peerId, address } }
  const edited = { records: [record(1), record(6)], statics: [staticEntry('x'), mine] }
  assert.deepEqual(lossBy(edited, known, { since: NOW - 1, now: NOW }), { dropped: 2, of: 5, newer: [known[2]] })
  assert.deepEqual(lossBy(edited, known, { since: NOW + HOUR, now: NOW }), { dropped: 3, of: 5, newer: [] })
})
