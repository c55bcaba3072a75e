import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Stream } from '@libp2p/interface'
import { byteStream, streamPair } from '@libp2p/utils'
import { writeLines } from '../../src/streams/line-writer.ts'

const limits = (timeout: number) => ({ timeout, onWait: () => {}, onWaitOver: () => {} })
const NEVER = new AbortController().signal
const MIB = 'x'.repeat(1 << 20)

describe('writing lines', () => {
  it('sends them in order and closes our side', async () => {
    const [near, far] = await streamPair()
    await writeLines(near, limits(5000), NEVER)(linesOf('one\n', 'two\n'))
    assert.equal(await readAll(far), 'one\ntwo\n')
    assert.equal(near.writeStatus, 'closed')
    assert.equal(near.status, 'open', 'the far side may still send')
  })

  it('closes our side when there is nothing to send', async () => {
    const [near, far] = await streamPair()
    await writeLines(near, limits(5000), NEVER)(linesOf())
    assert.equal(await readAll(far), '')
  })

  it('sends each line before it asks for the next', async () => {
    const [near, far] = await streamPair()
    const reader = byteStream(far)
    async function* echoed() {
      yield 'one\n'
      assert.equal(Buffer.from((await reader.read())!.subarray()).toString(), 'one\n')
      yield 'two\n'
    }
    await writeLines(near, limits(5000), NEVER)(echoed())
    assert.equal(Buffer.from((await reader.read())!.subarray()).toString(), 'two\n')
  })

  it('waits for a reader that is slow', async () => {
    const [near, far] = await streamPair({ capacity: 1 })
    far.pause()
    const written = writeLines(near, limits(5000), NEVER)(linesOf('a', MIB, 'b'))
    far.resume()
    const [text] = await Promise.all([readAll(far), written])
    assert.equal(text, `a${MIB}b`)
  })

  it('gives up on a reader that takes nothing', async () => {
    const near = await streamWithoutRoom()
    await assert.rejects(writeLines(near, limits(20), NEVER)(linesOf('one\n')), { name: 'TimeoutError' })
  })

  it('ends with the signal while it waits', async () => {
    const near = await streamWithoutRoom()
    const stopping = new AbortController()
    const written = writeLines(near, limits(5000), stopping.signal)(linesOf('one\n'))
    stopping.abort()
    await assert.rejects(written, { name: 'AbortError' })
  })

  it('rejects with an error when the stream is closed while it waits', async () => {
    const near = await streamWithoutRoom()
    const written = writeLines(near, limits(5000), NEVER)(linesOf('one\n'))
    setImmediate(() => near.abort(new Error('gone')))
    await assert.rejects(written, { name: 'Error', message: 'the stream closed before it took the answer' })
  })
})

/** A stream whose far side has given no window: it takes nothing, and never drains. */
async function streamWithoutRoom(): Promise<Stream> {
  const [near] = await streamPair()
  return Object.assign(near, { send: () => false })
}

async function* linesOf(...lines: string[]): AsyncGenerator<string> {
  yield* lines
}

async function readAll(stream: Stream): Promise<string> {
  const bytes = byteStream(stream)
  let text = ''
  for (let chunk = await bytes.read(); chunk !== null; chunk = await bytes.read()) {
    text += Buffer.from(chunk.subarray()).toString()
  }
  return text
}
