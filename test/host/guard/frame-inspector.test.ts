import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { FrameInspector, MAX_FRAME_BYTES, MAX_PIECE_WORK } from '../../../src/host/guard/frame-inspector.ts'
import { DATA, FIN, frame, GO_AWAY, PING, SYN, WINDOW_UPDATE } from '../../support/raw-peer.ts'

const inspect = (bytes: Uint8Array) => new FrameInspector().inspect(bytes)

describe('the frame inspector', () => {
  it('refuses a frame longer than a window as soon as its header is there', () => {
    assert.equal(inspect(frame(DATA, SYN, 1, 0, 0xff_ff_ff_ff)), undefined)
    assert.equal(inspect(frame(DATA, SYN, 1, 0, MAX_FRAME_BYTES + 1)), undefined)
    assert.notEqual(inspect(frame(DATA, SYN, 1, 0, MAX_FRAME_BYTES)), undefined)
  })

  it('takes the length of a window update, a ping and a goodbye for the number it is', () => {
    for (const type of [WINDOW_UPDATE, PING, GO_AWAY]) {
      assert.notEqual(inspect(frame(type, 0, type === WINDOW_UPDATE ? 1 : 0, 0, 0xff_ff_ff_ff)), undefined)
    }
  })

  it('refuses what is not yamux', () => {
    assert.equal(inspect(Buffer.from('GET / HTTP/1.1\r\n')), undefined)
    assert.equal(inspect(frame(4, 0, 0)), undefined)
  })

  it('asks more for what costs us more', () => {
    const work = (bytes: Buffer) => inspect(bytes)!.work
    const data = work(frame(DATA, 0, 1, Buffer.from('x')))
    assert(work(frame(PING, SYN, 0)) > data)
    assert(work(frame(WINDOW_UPDATE, SYN, 1)) > work(frame(PING, SYN, 0)))
  })

  it('tells use from noise', () => {
    const { opens, uses } = inspect(frame(WINDOW_UPDATE, SYN, 1))!
    assert.deepEqual({ opens, uses }, { opens: true, uses: true })
    assert.equal(inspect(frame(DATA, FIN, 1, Buffer.from('x')))!.uses, true)
    assert.equal(inspect(frame(PING, SYN, 0))!.uses, false)
    assert.equal(inspect(frame(WINDOW_UPDATE, 0, 1, 512))!.uses, false)
  })

  it('says where to cut what would hold the loop for long', () => {
    const opening = frame(WINDOW_UPDATE, SYN, 1)
    const chunk = Buffer.concat(Array<Buffer>(100).fill(opening))
    const { cuts, work } = inspect(chunk)!
    const pieces = [...cuts, chunk.length].map((end, i) => chunk.subarray(cuts[i - 1] ?? 0, end))
    assert.deepEqual(Buffer.concat(pieces), chunk)
    assert(pieces.every((piece) => inspect(piece)!.work <= MAX_PIECE_WORK))
    assert(pieces.length <= Math.ceil(work / (MAX_PIECE_WORK / 2)))
    assert.deepEqual(inspect(frame(DATA, SYN, 1, Buffer.alloc(200_000)))!.cuts, [])
  })

  it('knows when a frame is still to be completed', () => {
    const whole = frame(DATA, SYN, 1, Buffer.from('xyz'))
    for (let at = 0; at <= whole.length; at++) {
      const inspector = new FrameInspector()
      inspector.inspect(whole.subarray(0, at))
      assert.equal(inspector.unfinished, at > 0 && at < whole.length)
    }
  })

  it('finds the same however the bytes are cut', () => {
    const frames = fc.array(
      fc.record({
        type: fc.constantFrom(DATA, WINDOW_UPDATE, PING),
        flags: fc.constantFrom(0, SYN, FIN),
        body: fc.uint8Array({ maxLength: 40 }),
      }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(frames, fc.array(fc.nat(60), { maxLength: 30 }), fc.boolean(), (made, cuts, asLists) => {
        const all = Buffer.concat(made.map(({ type, flags, body }) => frame(type, flags, 1, type === DATA ? body : 7)))
        const inspector = new FrameInspector()
        let work = 0
        let at = 0
        for (const cut of [...cuts, all.length]) {
          const chunk = all.subarray(at, at + cut)
          at += chunk.length
          work += inspector.inspect(asLists ? new Uint8ArrayList(chunk) : chunk)!.work
        }
        assert.equal(work, inspect(all)!.work)
      }),
    )
  })
})
