import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type DiscoverCookie, decodeCookie, encodeCookie } from '../../src/wire/discover-cookie.ts'

const COOKIE: DiscoverCookie = { epoch: 0x89abcdef, upTo: 1234, turn: 5, start: 678, offset: 9 }

describe('cookies of DISCOVER', () => {
  it('say what they were made of', () => {
    const six = fc.nat(2 ** 48 - 1)
    const read = { epoch: fc.nat(0xffff_ffff), upTo: six }
    const cookie: fc.Arbitrary<DiscoverCookie> = fc.oneof(
      fc.record({ ...read, turn: fc.nat(0xffff_fffe), start: six, offset: six }, { noNullPrototype: true }),
      fc.record({ ...read, turn: fc.constant(undefined) }, { noNullPrototype: true }),
    )
    fc.assert(
      fc.property(cookie, fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }), (value, ns) => {
        assert.deepEqual(decodeCookie(encodeCookie(value, ns), ns), value)
      }),
    )
  })

  it('are ASCII of at most 64 bytes, as rust-libp2p takes them', () => {
    const text = Buffer.from(encodeCookie(COOKIE, 'mychain')).toString('latin1')
    assert.match(text, /^[A-Za-z0-9_-]{9,64}$/)
  })

  it('count only in the namespace they were given for', () => {
    for (const given of [undefined, '', 'a', 'all', 'b']) {
      for (const asked of [undefined, '', 'a', 'all', 'b']) {
        const decoded = decodeCookie(encodeCookie(COOKIE, given), asked)
        assert.deepEqual(decoded, given === asked ? COOKIE : undefined, `given for ${given}, asked for ${asked}`)
      }
    }
  })

  it('are none with a byte changed, cut off or added', () => {
    const cookie = encodeCookie(COOKIE, 'a')
    for (let at = 0; at < cookie.length; at++) {
      for (const byte of [0, 0x41, 0x7a, 0x2d, 0xff]) {
        const changed = Uint8Array.from(cookie)
        changed[at] = byte
        assert.equal(decodeCookie(changed, 'a') !== undefined, cookie[at] === byte, `byte ${at} as ${byte}`)
      }
      assert.equal(decodeCookie(cookie.subarray(0, at), 'a'), undefined)
    }
    assert.equal(decodeCookie(Buffer.concat([cookie, Buffer.from('A')]), 'a'), undefined)
  })

  it('are none for any other bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => decodeCookie(bytes, 'a') === undefined))
  })
})
