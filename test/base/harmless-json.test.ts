import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { stringifyHarmless } from '../../src/base/harmless-json.ts'

it('escapes what could steer a terminal, and nothing else', () => {
  assert.equal(stringifyHarmless(['\x9b2J\x7f\u202e\u2028 ä €']), '["\\u009b2J\\u007f\\u202e\\u2028 ä €"]')
  assert.equal(stringifyHarmless({ '\u200f': '\u{e0001}😀' }), '{"\\u200f":"\\udb40\\udc01😀"}')
})

it('is read back as what was written', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const text = stringifyHarmless(value)
      assert(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text))
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
    }),
  )
})
