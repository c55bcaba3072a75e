import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { pEvent } from 'p-event'
import { type LineLimits, readLines } from '../../src/streams/line-reader.ts'

const LIMITS: LineLimits = { maxLineBytes: 32, maxLines: 16, timeout: 5000 }
const NEVER = new AbortController().signal

describe('the lines of a stream', () => {
  it('are the same wherever their bytes are split', async () => {
    const text = '{"a":"ü"}\r\n\n[1,2]\n{}'
    const whole = Buffer.from(text)
    const expected = await linesOf([whole])
    assert.deepEqual(expected, ['{"a":"ü"}', '[1,2]', '{}'])
    for (let at = 1; at < whole.length; at++) {
      assert.deepEqual(await linesOf([whole.subarray(0, at), whole.subarray(at)]), expected, `split at ${at}`)
    }
    assert.deepEqual(await linesOf([...whole].map((byte) => Uint8Array.of(byte))), expected, 'byte by byte')
  })

  it('are the same wherever they are split when they are as long as the limit', async () => {
    const whole = Buffer.from(`${'x'.repeat(32)}\r\n{}`)
    for (let at = 1; at < whole.length; at++) {
      assert.deepEqual(await linesOf([whole.subarray(0, at), whole.subarray(at)]), ['x'.repeat(32), '{}'])
    }
  })

  const cases: ReadonlyArray<readonly [name: string, text: string, lines: readonly string[]]> = [
    ['end with LF', '{}\n', ['{}']],
    ['end with CR LF', '{}\r\n[]\r\n', ['{}', '[]']],
    ['may end with the half-close', '{}', ['{}']],
    ['may end with CR and the half-close', '{}\r', ['{}']],
    ['are none where nothing was sent', '', []],
    ['are none where all are blank', '\n \r\n\t\n  ', []],
    ['are found between blank ones', '\n\n{}\n \n[]\n\n', ['{}', '[]']],
    ['keep the spaces around them', ' {} \n', [' {} ']],
    ['keep a CR in their middle', '{\r}\n', ['{\r}']],
    ['may be as long as the limit', `${'x'.repeat(32)}\n`, ['x'.repeat(32)]],
    ['may be as long as the limit and end with CR LF', `${'x'.repeat(32)}\r\n{}`, ['x'.repeat(32), '{}']],
    ['may be as long as the limit and end with the half-close', 'x'.repeat(32), ['x'.repeat(32)]],
    ['are too long with one byte more', `${'x'.repeat(33)}\n`, ['line_too_long']],
    ['are too long with one byte more and CR LF', `${'x'.repeat(33)}\r\n`, ['line_too_long']],
    ['are too long with one byte more and the half-close', 'x'.repeat(33), ['line_too_long']],
    ['are too long where blanks are', ' '.repeat(33), ['line_too_long']],
    ['end with the first that is too long', `{}\n${'x'.repeat(33)}\n{}\n`, ['{}', 'line_too_long']],
    ['are as many as the limit', '{}\n'.repeat(16), Array(16).fill('{}')],
    ['are too many with one more', '{}\n'.repeat(17), [...Array(16).fill('{}'), 'too_many_lines']],
    [
      'are too many with one more that is not ended',
      `${'{}\n'.repeat(16)}{`,
      [...Array(16).fill('{}'), 'too_many_lines'],
    ],
    ['may be as many blank ones', `${'\n'.repeat(16)}{}`, ['{}']],
    ['may be as many blank ones with nothing behind', '\n'.repeat(16), []],
    ['are too many with one more blank one', '\n'.repeat(17), ['too_many_lines']],
  ]
  for (const [name, text, lines] of cases) {
    it(name, async () => assert.deepEqual(await linesOf([Buffer.from(text)]), lines))
  }

  it('are too long before their end has come', async () => {
    const { near, far } = await pair()
    near.send(Buffer.alloc(34, 'x'))
    assert.deepEqual(await collect(far), ['line_too_long'])
  })

  it('wait unread while one before them is answered', async () => {
    const { near, far } = await pair()
    const closed = pEvent(far, 'remoteCloseWrite')
    near.send(Buffer.from('1\n2\n3'))
    const lines = readLines(far, LIMITS, NEVER)
    assert.equal(textOf((await lines.next()).value), '1')
    await near.close()
    await closed
    assert.deepEqual(await collect(lines), ['2', '3'])
  })

  it('are read when the far side closed before anyone looked', async () => {
    const { near, far } = await pair()
    const closed = pEvent(far, 'remoteCloseWrite')
    near.send(Buffer.from('{}'))
    await near.close()
    await closed
    assert.deepEqual(await collect(far), ['{}'])
  })
})

describe('a stream that does not keep to it', () => {
  const HURRIED: LineLimits = { ...LIMITS, timeout: 20 }

  it('is late when it says nothing', async () => {
    const { far } = await pair()
    assert.deepEqual(await collect(readLines(far, HURRIED, NEVER)), ['timeout'])
  })

  it('is late when its line never ends', async () => {
    const { near, far } = await pair()
    near.send(Buffer.from('1\n{"addr'))
    assert.deepEqual(await collect(readLines(far, HURRIED, NEVER)), ['1', 'timeout'])
  })

  it('is done, not late, when it is silent behind an answered line', async () => {
    const { near, far } = await pair()
    near.send(Buffer.from('1\n'))
    assert.deepEqual(await collect(readLines(far, HURRIED, NEVER)), ['1'])
  })

  it('gains no time by blank lines', async () => {
    const { near, far } = await pair()
    const drip = setInterval(() => near.status === 'open' && near.send(Buffer.from('\n')), 15)
    try {
      const lines = await collect(readLines(far, { ...HURRIED, maxLines: 1000, timeout: 100 }, NEVER))
      assert.deepEqual(lines, ['timeout'])
    } finally {
      clearInterval(drip)
    }
  })

  it('loses no time while a line is answered', async () => {
    const { near, far } = await pair()
    near.send(Buffer.from('1\n'))
    const lines = readLines(far, HURRIED, NEVER)
    await lines.next()
    // As long as an answer that takes three times the time of a line.
    const answered = AbortSignal.timeout(60)
    await new Promise((resolve) => answered.addEventListener('abort', resolve))
    near.send(Buffer.from('2\n'))
    assert.deepEqual(await collect(lines), ['2'])
  })

  it('has no line when it is reset within one', async () => {
    const { near, far } = await pair()
    const got: string[] = []
    const reading = (async () => {
      for await (const line of readLines(far, LIMITS, NEVER)) {
        got.push(textOf(line))
        near.abort(new Error('gone'))
      }
    })()
    near.send(Buffer.from('1\n{"address":"/ip4'))
    await assert.rejects(reading)
    assert.deepEqual(got, ['1'])
  })

  it('has no line when it was reset before anyone looked', async () => {
    const { near, far } = await pair()
    const closed = pEvent(far, 'close')
    near.send(Buffer.from('{}\n'))
    near.abort(new Error('gone'))
    await closed
    await assert.rejects(collect(far))
  })

  it('ends with the signal', async () => {
    const { far } = await pair()
    const stopping = new AbortController()
    const lines = collect(readLines(far, LIMITS, stopping.signal))
    stopping.abort(new Error('the bootstrap stops'))
    await assert.rejects(lines)
    await assert.rejects(collect(readLines((await pair()).far, LIMITS, stopping.signal)))
  })

  it('can send on for a while without losing the answer to what it sent before', async () => {
    const { near, far } = await pair()
    near.send(Buffer.from('x'.repeat(200)))
    assert.deepEqual(await collect(far), ['line_too_long'])
    const closed = pEvent(far, 'remoteCloseWrite')
    near.send(Buffer.from('x'.repeat(300)))
    await near.close()
    await closed
    assert.equal(far.status, 'open')
  })

  it('is reset when it sends on without end', async () => {
    const { near, far } = await pair()
    near.send(Buffer.from('x'.repeat(200)))
    assert.deepEqual(await collect(far), ['line_too_long'])
    const closed = pEvent(far, 'close')
    near.send(Buffer.alloc(16 * 34 + 33))
    await closed
    assert.equal(far.status, 'aborted')
  })

  it('is reset when it sends more ahead than it may have lines', async () => {
    const { near, far } = await pair()
    near.send(Buffer.from('1\n'))
    const lines = readLines(far, LIMITS, NEVER)
    await lines.next()
    const closed = pEvent(far, 'close')
    near.send(Buffer.alloc(16 * 34 + 33, 'x'))
    await closed
    await assert.rejects(collect(lines))
  })
})

async function pair(): Promise<{ near: Stream; far: Stream }> {
  const [near, far] = await streamPair()
  return { near, far }
}

/** What is read of a stream to which these chunks are written, each by itself, before it is half-closed. */
async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const { near, far } = await pair()
  const lines = collect(far)
  for (const chunk of chunks) {
    near.send(chunk)
  }
  await near.close()
  return await lines
}

async function collect(from: Stream | AsyncIterable<Uint8Array | string>): Promise<string[]> {
  const lines = 'send' in from ? readLines(from, LIMITS, NEVER) : from
  const texts: string[] = []
  for await (const line of lines) {
    texts.push(textOf(line))
  }
  return texts
}

function textOf(line: Uint8Array | string): string {
  return typeof line === 'string' ? line : Buffer.from(line).toString()
}
