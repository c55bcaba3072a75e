import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { remoteText } from '../../src/base/remote-text.ts'

it('shows ordinary text of any language as it is', () => {
  for (const text of ['', '/ip4/203.0.113.7/tcp/4001', 'søk æøå', 'こんにちは', '🙂', 'a\\b "c"']) {
    assert.equal(remoteText(text), text)
  }
})

it('shows what a terminal or a log viewer would obey', () => {
  assert.equal(remoteText('a\nb\r\tc'), 'a\\u{a}b\\u{d}\\u{9}c')
  assert.equal(remoteText('\x1b[2J\x1b]0;title\x07'), '\\u{1b}[2J\\u{1b}]0;title\\u{7}')
  assert.equal(remoteText('\x7f\x9b31m'), '\\u{7f}\\u{9b}31m')
  assert.equal(remoteText('x\u2028y\u2029'), 'x\\u{2028}y\\u{2029}')
  assert.equal(remoteText('\u202egnp.exe\u2066\u200f\ufeff'), '\\u{202e}gnp.exe\\u{2066}\\u{200f}\\u{feff}')
})

it('cuts what is long', () => {
  assert.equal(remoteText('x'.repeat(200)), 'x'.repeat(200))
  assert.equal(remoteText('x'.repeat(201)), `${'x'.repeat(200)}…`)
  assert.equal(remoteText('x'.repeat(9), 8), 'xxxxxxxx…')
})

it('makes one line of well-formed, bounded, harmless text of anything', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 400 }).map((units) => String.fromCharCode(...units)),
  )
  fc.assert(
    fc.property(anything, (text) => {
      const shown = remoteText(text)
      assert(shown.isWellFormed())
      assert(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(shown))
      assert(shown.length <= 201 * '\\u{e007f}'.length)
    }),
    { numRuns: 2000 },
  )
})
