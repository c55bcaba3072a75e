import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MAX_ENVELOPE_BYTES, MAX_LIMIT, MAX_NETWORK_BYTES } from '../../src/peer/limits.ts'
import { decodeMessage, encodedLength, encodeMessage, isMessageFault, typeOf } from '../../src/wire/rendezvous-codec.ts'
import {
  type FaultCode,
  MAX_COOKIE_BYTES,
  MAX_MESSAGE_BYTES,
  type Register,
  type RendezvousMessage,
  STATUS,
  type Status,
} from '../../src/wire/rendezvous-messages.ts'

/** Made by Google's protobuf library from the specification's definition, not by our encoder. */
const VECTORS: ReadonlyArray<{ readonly name: string; readonly message: object; readonly bytes: string }> = JSON.parse(
  readFileSync(new URL('./vectors/rendezvous.json', import.meta.url), 'utf8'),
)

const MEMBERS = {
  REGISTER: ['ns', 'signedPeerRecord', 'ttl'],
  REGISTER_RESPONSE: ['status', 'statusText', 'ttl'],
  UNREGISTER: ['ns'],
  DISCOVER: ['ns', 'limit', 'cookie'],
  DISCOVER_RESPONSE: ['registrations', 'cookie', 'status', 'statusText'],
} as const

/** A message as the vectors write it: bytes in hex, times in seconds, absent members omitted. */
function messageOf(written: Record<string, unknown>): RendezvousMessage {
  const type = written.type as RendezvousMessage['type']
  const message: Record<string, unknown> = { type }
  for (const member of MEMBERS[type]) {
    const value = written[member]
    if (member === 'ttl') {
      message.ttlMs = value === undefined ? undefined : Number(value) * 1000
      continue
    }
    message[member] =
      member === 'registrations'
        ? (value as Record<string, unknown>[]).map((each) => {
            const { type: _, ...register } = messageOf({ type: 'REGISTER', ...each })
            return register
          })
        : member === 'cookie' || member === 'signedPeerRecord'
          ? value === undefined
            ? undefined
            : Uint8Array.from(Buffer.from(value as string, 'hex'))
          : value
  }
  return message as unknown as RendezvousMessage
}

/** Views of a buffer compare unequal to arrays of the same bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString('hex')
  }
  if (Array.isArray(value)) {
    return value.map(plain)
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
    : value
}

describe('messages of /rendezvous/1.0.0', () => {
  for (const { name, message, bytes } of VECTORS) {
    it(`has the golden bytes: ${name}`, () => {
      const value = messageOf(message as Record<string, unknown>)
      assert.equal(Buffer.from(encodeMessage(value)).toString('hex'), bytes)
      assert.deepEqual(plain(decodeMessage(Buffer.from(bytes, 'hex'))), plain(value))
    })
  }

  it('reads what it writes', () => {
    fc.assert(
      fc.property(anyMessage(), (message) => {
        assert.deepEqual(plain(decodeMessage(encodeMessage(message))), plain(message))
        assert.equal(typeOf(encodeMessage(message)), message.type)
      }),
    )
  })

  it('makes a message or a fault of any bytes', () => {
    const vectors = VECTORS.map(({ bytes }) => Buffer.from(bytes, 'hex'))
    const damaged = fc
      .record({ vector: fc.constantFrom(...vectors), at: fc.nat(100), byte: fc.nat(255), cut: fc.nat(100) })
      .map(({ vector, at, byte, cut }) => {
        const bytes = Uint8Array.from(vector)
        bytes[at % bytes.length] = byte
        return bytes.subarray(0, cut)
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged), (bytes) => {
        const value = decodeMessage(bytes)
        assert.ok(isMessageFault(value) || value.type in MEMBERS)
      }),
      { numRuns: 20_000 },
    )
  })

  it('is no message when it is cut short anywhere', () => {
    for (const { bytes } of VECTORS) {
      const whole = Buffer.from(bytes, 'hex')
      for (let length = 0; length < whole.length; length++) {
        assert.ok(isMessageFault(decodeMessage(whole.subarray(0, length))), `${bytes} cut to ${length}`)
      }
    }
  })

  const register = (over: Partial<Register>): RendezvousMessage => ({
    type: 'REGISTER',
    ns: undefined,
    signedPeerRecord: undefined,
    ttlMs: undefined,
    ...over,
  })
  const discover = (cookie: number): RendezvousMessage => ({
    type: 'DISCOVER',
    ns: undefined,
    limit: undefined,
    cookie: new Uint8Array(cookie),
  })
  const discovered = (count: number): RendezvousMessage => ({
    type: 'DISCOVER_RESPONSE',
    registrations: Array(count).fill({ ns: 'n', signedPeerRecord: undefined, ttlMs: 1000 }),
    cookie: undefined,
    status: 'OK',
    statusText: undefined,
  })
  const bounds: ReadonlyArray<readonly [FaultCode, fits: RendezvousMessage, exceeds: RendezvousMessage]> = [
    [
      'namespace_invalid',
      register({ ns: 'n'.repeat(MAX_NETWORK_BYTES) }),
      register({ ns: `ä${'n'.repeat(MAX_NETWORK_BYTES - 1)}` }),
    ],
    [
      'record_too_long',
      register({ signedPeerRecord: new Uint8Array(MAX_ENVELOPE_BYTES) }),
      register({ signedPeerRecord: new Uint8Array(MAX_ENVELOPE_BYTES + 1) }),
    ],
    ['cookie_too_long', discover(MAX_COOKIE_BYTES), discover(MAX_COOKIE_BYTES + 1)],
    ['too_many_registrations', discovered(MAX_LIMIT), discovered(MAX_LIMIT + 1)],
  ]
  for (const [fault, fits, exceeds] of bounds) {
    it(`has a bound: ${fault}`, () => {
      assert.equal(isMessageFault(decodeMessage(encodeMessage(fits))), false)
      assert.deepEqual(decodeMessage(encodeMessage(exceeds)), { fault, type: exceeds.type })
    })
  }

  const faults: ReadonlyArray<readonly [name: string, hex: string, FaultCode]> = [
    ['nothing', '', 'message_incomplete'],
    ['a type that there is not', '0805', 'message_incomplete'],
    ['a type without its part', '0803', 'message_incomplete'],
    ['the part of another type', '08031200', 'message_incomplete'],
    ['a part of the wrong kind', '08032805', 'message_incomplete'],
    ['a namespace that is not UTF-8', '080022030a01ff12030a01ff', 'namespace_invalid'],
    ['a length beyond the end', '0803ffffffff0f', 'not_protobuf'],
    ['a number of 11 bytes', '08ffffffffffffffffffff01', 'not_protobuf'],
    ['a group', '08032a000b0c', 'not_protobuf'],
    ['the field number 0', '08032a000000', 'not_protobuf'],
  ]
  for (const [name, hex, fault] of faults) {
    it(`is no message: ${name}`, () => {
      const value = decodeMessage(Buffer.from(hex, 'hex'))
      assert.ok(isMessageFault(value))
      assert.equal(value.fault, fault)
    })
  }

  it('is no message when it is longer than a message may be', () => {
    const bytes = new Uint8Array(MAX_MESSAGE_BYTES + 1)
    bytes.set([8, 3])
    assert.deepEqual(decodeMessage(bytes), { fault: 'message_too_long', type: 'DISCOVER' })
  })

  it('passes over fields that it does not know, of any type that there is', () => {
    const known = '08032a030a016e'
    const unknown = 'a20602aaaaa806ac02ad0611111111a9062222222222222222'
    const expected = { type: 'DISCOVER', ns: 'n', limit: undefined, cookie: undefined }
    assert.deepEqual(decodeMessage(Buffer.from(known + unknown, 'hex')), expected)
    assert.deepEqual(decodeMessage(Buffer.from(unknown + known, 'hex')), expected)
  })

  it('takes the last of a field that stands there twice', () => {
    assert.deepEqual(decodeMessage(Buffer.from('08032a060a016e0a016d', 'hex')), {
      type: 'DISCOVER',
      ns: 'm',
      limit: undefined,
      cookie: undefined,
    })
  })

  it('takes a message without a type for REGISTER, as a proto3 writer leaves it', () => {
    const value = decodeMessage(Buffer.from('12030a016e', 'hex'))
    assert.deepEqual(value, { type: 'REGISTER', ns: 'n', signedPeerRecord: undefined, ttlMs: undefined })
  })

  it('reads a number that is too large as the largest there is', () => {
    const value = decodeMessage(Buffer.from('0800120e0a016e18ffffffffffffffffff01', 'hex'))
    assert.ok(!isMessageFault(value) && value.type === 'REGISTER')
    assert.equal(value.ttlMs, Number.MAX_SAFE_INTEGER * 1000)
  })

  it('knows how much an answer grows by a registration', () => {
    const one = { ns: 'n', signedPeerRecord: new Uint8Array(200), ttlMs: 7_200_000 }
    const sizes = [1, 2].map(
      (count) => encodeMessage({ ...discovered(0), registrations: Array(count).fill(one) } as RendezvousMessage).length,
    )
    assert.equal(encodedLength(one), sizes[1]! - sizes[0]!)
  })
})

function anyMessage(): fc.Arbitrary<RendezvousMessage> {
  const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })
  const ns = optional(fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => Buffer.byteLength(text) <= 255))
  const bytes = optional(fc.uint8Array({ maxLength: 300 }))
  const number = optional(fc.maxSafeNat())
  const ttlMs = optional(fc.nat({ max: Math.floor(Number.MAX_SAFE_INTEGER / 1000) }).map((seconds) => seconds * 1000))
  const status = fc.constantFrom(...(Object.keys(STATUS) as Status[]))
  const statusText = optional(fc.string({ unit: 'grapheme', maxLength: 100 }).filter((text) => text.isWellFormed()))
  const registration = fc.record({ ns, signedPeerRecord: bytes, ttlMs })
  return fc.oneof(
    registration.map((each) => ({ type: 'REGISTER' as const, ...each })),
    fc.record({ type: fc.constant('REGISTER_RESPONSE' as const), status, statusText, ttlMs }),
    fc.record({ type: fc.constant('UNREGISTER' as const), ns }),
    fc.record({ type: fc.constant('DISCOVER' as const), ns, limit: number, cookie: bytes }),
    fc.record({
      type: fc.constant('DISCOVER_RESPONSE' as const),
      registrations: fc.array(registration, { maxLength: 5 }),
      cookie: bytes,
      status,
      statusText,
    }),
  )
}
