import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  DEFAULT_TTL_MS,
  MAX_ADDRESSES,
  MAX_LIMIT,
  MAX_NETWORK_BYTES,
  MAX_TTL_MS,
  MIN_TTL_MS,
} from '../../src/peer/limits.ts'
import {
  ASK,
  type BootstrapRequest,
  decodeRequest,
  type ErrorCode,
  type Explanation,
  encodeExplained,
  encodeFault,
  encodePeer,
  encodePeers,
  type Fault,
  isFault,
  MAX_LINE_BYTES,
  type PeerRecord,
} from '../../src/wire/bootstrap-codec.ts'

const DECODER_FAULTS: readonly ErrorCode[] = ['invalid_utf8', 'invalid_json', 'invalid_request']

describe('decoding', () => {
  it('gives a request or a typed fault for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => isSound(decodeRequest(bytes))),
      { numRuns: 2000 },
    )
  })

  it('gives a request or a typed fault for any JSON value', () => {
    const value = fc.oneof(fc.jsonValue(), almostRequest())
    fc.assert(
      fc.property(value, (json) => isSound(decodeRequest(Buffer.from(JSON.stringify(json))))),
      { numRuns: 3000 },
    )
  })

  it('reads every request that keeps the rules as it was meant', () => {
    fc.assert(
      fc.property(goodRequest(), (request) => {
        const { ttl, limit, ...rest } = request
        assert.deepEqual(decodeRequest(Buffer.from(JSON.stringify(request))), {
          ...ASK,
          ...rest,
          ttlMs:
            ttl === undefined ? DEFAULT_TTL_MS : ttl === 0 ? 0 : Math.min(Math.max(ttl * 1000, MIN_TTL_MS), MAX_TTL_MS),
          limit: limit === undefined ? undefined : Math.min(limit, MAX_LIMIT),
        })
      }),
    )
  })

  it('never takes a request cut off at any byte for a whole one', () => {
    const whole = Buffer.from('{"addresses":["/ip4/203.0.113.7/tcp/4001"],"network":"süd","ttl":0,"explain":true}')
    for (let length = 0; length < whole.length; length++) {
      assert.ok(isFault(decodeRequest(whole.subarray(0, length))), `cut after ${length} bytes`)
    }
    assert.ok(!isFault(decodeRequest(whole)))
  })

  it('takes a network of 255 bytes and none of 256', () => {
    const decode = (network: string) => decodeRequest(Buffer.from(JSON.stringify({ network })))
    assert.ok(!isFault(decode('n'.repeat(MAX_NETWORK_BYTES))))
    assert.ok(isFault(decode('n'.repeat(MAX_NETWORK_BYTES + 1))))
    assert.ok(!isFault(decode(`${'ü'.repeat(127)}n`)))
    assert.ok(isFault(decode('ü'.repeat(128))))
  })

  it('is not hurt by a line nested as deep as it is long', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = Math.floor(MAX_LINE_BYTES / (open.length + close.length + 1))
      const nested = `${open.repeat(deep)}1${close.repeat(deep)}`
      assert.ok(isSound(decodeRequest(Buffer.from(nested))))
      assert.ok(isSound(decodeRequest(Buffer.from(`{"network":${nested}}`))))
      assert.ok(isSound(decodeRequest(Buffer.from(open.repeat(MAX_LINE_BYTES / open.length)))))
    }
  })

  it('leaves the prototype of objects alone', () => {
    decodeRequest(Buffer.from('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'))
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  })
})

describe('encoding', () => {
  it('gives one line of JSON that says what was given', () => {
    fc.assert(
      fc.property(fc.array(peer(), { maxLength: 5 }), explanation(), fault(), (peers, explained, failed) => {
        const records = peers.map(asJson)
        assert.deepEqual(parseLine(encodePeers(peers.map(encodePeer))), records)
        assert.deepEqual(parseLine(encodeExplained(peers.map(encodePeer), explained)), { peers: records, ...explained })
        assert.deepEqual(parseLine(encodeExplained(peers.map(encodePeer), explained, failed)), {
          peers: records,
          ...explained,
          error: failed,
        })
        assert.deepEqual(parseLine(encodeFault(failed)), { error: failed })
        assert.deepEqual(parseLine(encodeFault(failed, peers.map(encodePeer))), { error: failed, peers: records })
      }),
    )
  })

  it('has a record take its characters in bytes, and a comma', () => {
    fc.assert(
      fc.property(fc.array(peer(), { minLength: 1, maxLength: 5 }), (peers) => {
        const foretold = peers.reduce((sum, each) => sum + encodePeer(each).length + 1, 0)
        // The last record has no comma behind it.
        assert.equal(Buffer.byteLength(encodePeers(peers.map(encodePeer))), '[]\n'.length + foretold - 1)
      }),
    )
  })
})

/** Within every bound, whatever was sent. */
function isSound(decoded: BootstrapRequest | Fault): boolean {
  if (isFault(decoded)) {
    return DECODER_FAULTS.includes(decoded.code) && decoded.message.length > 0
  }
  const { addresses, network, ttlMs, limit, explain } = decoded
  return (
    addresses.length <= MAX_ADDRESSES &&
    addresses.every((each) => typeof each === 'string') &&
    network.isWellFormed() &&
    Buffer.byteLength(network) <= MAX_NETWORK_BYTES &&
    (ttlMs === 0 || (ttlMs >= MIN_TTL_MS && ttlMs <= MAX_TTL_MS)) &&
    (limit === undefined || (Number.isInteger(limit) && limit >= 0 && limit <= MAX_LIMIT)) &&
    typeof explain === 'boolean'
  )
}

/** Objects with our member names and any values: random JSON alone would never name one. */
function almostRequest() {
  const member = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 3, arbitrary: good }, fc.jsonValue())
  const record = fc.record(
    {
      address: member(fc.string()),
      addresses: member(fc.array(fc.string(), { maxLength: 10 })),
      network: member(fc.string({ unit: 'binary', maxLength: 90 })),
      ttl: member(fc.oneof(fc.nat(), fc.double())),
      limit: member(fc.oneof(fc.nat(), fc.double())),
      explain: member(fc.boolean()),
    },
    { requiredKeys: [] },
  )
  return fc.oneof(record, fc.array(record, { maxLength: 4 }))
}

function goodRequest() {
  return fc.record(
    {
      addresses: fc.array(fc.string({ unit: 'binary' }), { maxLength: MAX_ADDRESSES }),
      network: fc.string({ unit: 'grapheme', maxLength: 20 }).filter((name) => Buffer.byteLength(name) <= 255),
      ttl: fc.nat({ max: (2 * MAX_TTL_MS) / 1000 }),
      limit: fc.nat({ max: 2 * MAX_LIMIT }),
      explain: fc.boolean(),
    },
    { requiredKeys: [] },
  )
}

function peer(): fc.Arbitrary<PeerRecord> {
  const address = fc
    .tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }), fc.stringMatching(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/))
    .map(([ip, port, id]) => `/ip4/${ip}/tcp/${port}/p2p/${id}`)
  return fc.record(
    { addresses: fc.array(address, { minLength: 1, maxLength: 8 }), unverified: fc.constant(true) },
    { requiredKeys: ['addresses'], noNullPrototype: true },
  )
}

function asJson({ addresses, unverified }: PeerRecord) {
  return {
    address: addresses[0],
    ...(addresses.length > 1 ? { addresses } : {}),
    ...(unverified ? { verified: false } : {}),
  }
}

/** What strangers wrote is told back to them: any text at all. */
function explanation(): fc.Arbitrary<Explanation> {
  const outcome = fc.record(
    {
      address: fc.string({ unit: 'binary' }),
      status: fc.constantFrom('listed' as const, 'pending' as const, 'refused' as const),
      code: fc.string(),
      message: fc.string(),
      expiresIn: fc.option(fc.nat()),
    },
    { noNullPrototype: true },
  )
  const members = { observed: fc.string(), registrations: fc.array(outcome, { maxLength: 3 }) }
  return fc.record(members, { noNullPrototype: true })
}

function fault(): fc.Arbitrary<Fault> {
  return fc.record(
    { code: fc.constantFrom(...DECODER_FAULTS), message: fc.string(), retryAfter: fc.nat() },
    { requiredKeys: ['code', 'message'], noNullPrototype: true },
  )
}

function parseLine(line: string): unknown {
  assert.equal(line.indexOf('\n'), line.length - 1)
  return JSON.parse(line)
}
