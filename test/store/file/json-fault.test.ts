import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonFault } from '../../../src/store/file/json-fault.ts'

function fault(text: string): string {
  try {
    JSON.parse(text)
  } catch (error) {
    return jsonFault(error, text)
  }
  throw new Error('it is JSON')
}

const cases: Array<[text: string, fault: RegExp]> = [
  ['[\n{"a":1},\n]\n', /^Unexpected token ']' in line 3$/],
  ['[\n{"a":1},\n{"b":1}},\n{"c":1}\n]', /line 3 column 8/],
  ['[\n{"a":1}\n{"b":1}\n]', /line 3 column 1/],
  ['[\n{"a":x}\n]', /^Unexpected token 'x' in line 2$/],
  ['nonsense', /^Unexpected token 'o' in line 1$/],
  ['[\n// mine\n]', /^Unexpected token '\/' in line 2$/],
  ['[\n{"a":1}', /end|Expected/],
  ['', /^Unexpected end of JSON input$/],
]
for (const [text, expected] of cases) {
  test(`what is wrong with ${JSON.stringify(text)}`, () => {
    assert.match(fault(text), expected)
  })
}

test('a comma too many is found on its line, however long the list is', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 60 }), fc.nat(), (values, n) => {
      const at = n % values.length
      const lines = values.map((value, line) => JSON.stringify(value) + (line === at ? ',,' : ','))
      // Behind the second comma in the same line there is nothing, so what is unexpected is that comma.
      assert.equal(fault(`[\n${lines.join('\n')}\nnull]`), `Unexpected token ',' in line ${at + 2}`)
    }),
  )
})

test('what is no fault of JSON is told as it is', () => {
  assert.equal(jsonFault(new SyntaxError('expected a JSON array of peers'), '{}'), 'expected a JSON array of peers')
  assert.equal(jsonFault('odd', ''), 'odd')
})
