import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UnreadAnswers } from '../../src/streams/unread-answers.ts'

function readers() {
  const givenUp: string[] = []
  return { givenUp, reader: (name: string) => ({ abort: () => givenUp.push(name) }) }
}

describe('answers that are not read', () => {
  it('may wait while there is room for them', () => {
    const { givenUp, reader } = readers()
    const unread = new UnreadAnswers(100)
    assert.equal(unread.isCrowded, false)
    unread.wait(reader('a'), 60)
    assert.equal(unread.isCrowded, true)
    unread.wait(reader('b'), 40)
    assert.deepEqual([unread.bytes, givenUp], [100, []])
  })

  it('give way: the longest first, and of equals the one that waits longest', () => {
    const { givenUp, reader } = readers()
    const unread = new UnreadAnswers(100)
    for (const [name, bytes] of [
      ['short', 10],
      ['first', 40],
      ['second', 40],
      ['last', 20],
    ] as const) {
      unread.wait(reader(name), bytes)
    }
    assert.deepEqual([unread.bytes, givenUp], [70, ['first']])
    unread.wait(reader('too long'), 101)
    assert.deepEqual([unread.bytes, givenUp], [70, ['first', 'too long']])
  })

  it('are forgotten when they are read, once', () => {
    const { givenUp, reader } = readers()
    const unread = new UnreadAnswers(100)
    const [a, b] = [reader('a'), reader('b')]
    unread.wait(a, 60)
    unread.end(a)
    unread.end(a)
    assert.equal(unread.bytes, 0)
    unread.wait(b, 50)
    unread.wait(b, 90)
    assert.deepEqual([unread.bytes, givenUp], [90, []])
  })
})
