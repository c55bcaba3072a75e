import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { whatIsMissing } from './connected-graph.ts'

/** Nodes named by a letter each, and who each of them says it is connected to. */
function nodes(said: Readonly<Record<string, string>>) {
  return Object.entries(said).map(([id, peers]) => ({ id, peers }))
}

describe('a graph of nodes', () => {
  const cases: ReadonlyArray<readonly [string, Record<string, string>, number, RegExp | undefined]> = [
    ['all others are peers where they are fewer than the target', { a: 'bc', b: 'ac', c: 'ab' }, 8, undefined],
    [
      'a node without peers is missing',
      { a: 'b', b: 'a', c: '' },
      1,
      /1 of 3 nodes .* 1 peers \(0\).*\(of 2, 1 nodes\)/,
    ],
    ['a node below the target is missing', { a: 'bc', b: 'a', c: 'a' }, 2, /^2 of 3 nodes .* 2 peers \(2 × 1\)$/],
    ['two pieces are not connected', { a: 'b', b: 'a', c: 'd', d: 'c' }, 1, /^the graph is in 2 pieces/],
    ['what only one end knows of does not count', { a: 'b', b: '' }, 1, /2 of 2 nodes/],
    ['a bootstrap is no peer', { a: 'x', b: 'x' }, 1, /2 of 2 nodes .*\(2 × 0\)/],
    ['a node alone misses nothing', { a: 'x' }, 8, undefined],
  ]
  for (const [name, said, target, expected] of cases) {
    it(name, () => {
      const missing = whatIsMissing(nodes(said), target)
      if (expected === undefined) {
        assert.equal(missing, undefined)
      } else {
        assert.match(missing ?? '', expected)
      }
    })
  }
})
