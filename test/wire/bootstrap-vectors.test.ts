import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
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
  type PeerRecord,
} from '../../src/wire/bootstrap-codec.ts'

interface RequestVector {
  readonly name: string
  readonly text?: string
  readonly hex?: string
  /** `ttl` as the request has it, seconds. */
  readonly request?: Partial<BootstrapRequest> & { readonly ttl?: number }
  readonly fault?: ErrorCode
  readonly message?: string
}

interface AnswerVector {
  readonly name: string
  readonly peers?: readonly PeerRecord[]
  readonly explanation?: Explanation
  readonly fault?: Fault
  readonly answer: string
}

describe('the requests of the vectors', () => {
  for (const { name, text, hex, request, fault, message } of vectors<RequestVector>('requests')) {
    it(`${fault ?? 'read'}: ${name}`, () => {
      const decoded = decodeRequest(hex === undefined ? Buffer.from(text!) : Buffer.from(hex, 'hex'))
      if (fault === undefined) {
        const { ttl, ...rest } = request ?? {}
        assert.deepEqual(decoded, { ...ASK, ...rest, ...(ttl === undefined ? {} : { ttlMs: ttl * 1000 }) })
      } else {
        assert.ok(isFault(decoded), `it was read as ${JSON.stringify(decoded)}`)
        assert.equal(decoded.code, fault)
        assert.ok(decoded.message.includes(message ?? ''), decoded.message)
      }
    })
  }
})

describe('the answers of the vectors', () => {
  for (const { name, peers, explanation, fault, answer } of vectors<AnswerVector>('answers')) {
    it(name, () => {
      const encoded =
        explanation !== undefined
          ? encodeExplained(peers!.map(encodePeer), explanation, fault)
          : fault !== undefined
            ? encodeFault(fault, peers?.map(encodePeer))
            : encodePeers(peers!.map(encodePeer))
      assert.equal(encoded, answer)
    })
  }
})

function vectors<Vector>(name: string): Vector[] {
  return JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), 'utf8'))
}
