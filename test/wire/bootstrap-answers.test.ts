import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MAX_ADDRESSES, MAX_LIMIT, MAX_SIBLINGS } from '../../src/peer/limits.ts'
import { decodeAnswer } from '../../src/wire/bootstrap-answers.ts'
import { encodeExplained, encodeFault, encodePeer, encodePeers } from '../../src/wire/bootstrap-codec.ts'

const ID = '12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK'
const AT = `/ip4/203.0.113.7/tcp/4001/p2p/${ID}`

function decode(value: unknown) {
  const answer = decodeAnswer(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
  assert.ok(typeof answer !== 'string', `it is ${answer}`)
  return answer
}

describe('the answers of a bootstrap', () => {
  it('are read as the bootstrap encodes them', () => {
    const peers = [{ addresses: [AT, AT.replace('4001', '4002')] }, { addresses: [AT], unverified: true }]
    const outcome = { address: AT, status: 'listed', code: 'listed', message: 'm', expiresIn: 7200 } as const
    assert.deepEqual(decode(encodePeers(peers.map(encodePeer))).peers, peers)
    assert.deepEqual(decode(encodeExplained(peers.map(encodePeer), { observed: AT, registrations: [outcome] })), {
      peers,
      observed: AT,
      registrations: [outcome],
      bootstraps: [],
      error: undefined,
    })
    const fault = { code: 'rate_limited', message: 'later', retryAfter: 3 } as const
    assert.deepEqual(decode(encodeFault(fault)), {
      peers: [],
      observed: undefined,
      registrations: [],
      bootstraps: [],
      error: fault,
    })
    assert.deepEqual(decode(encodeFault(fault, peers.map(encodePeer))).peers, peers)
  })

  it('may say more than this version knows', () => {
    const answer = decode({
      peers: [{ address: AT, height: 17, addresses: 'none' }, { score: 3 }, null, 'x'],
      registrations: [{ address: AT, status: 'probation', code: 'new_code', message: 'm', expiresIn: null, more: 1 }],
      bootstraps: [AT, 7],
      news: {},
    })
    assert.deepEqual(answer.peers, [{ addresses: [AT] }])
    assert.deepEqual(answer.registrations, [
      { address: AT, status: 'refused', code: 'new_code', message: 'm', expiresIn: null },
    ])
    assert.deepEqual(answer.bootstraps, [AT])
    assert.equal(decode({ error: { code: 'tired', retryAfter: -1 } }).error?.code, 'tired')
  })

  it('are bounded, however long a list is sent', () => {
    const many = Array.from({ length: 4000 }, (_, n) => ({ address: `/ip4/203.0.113.7/tcp/${n}` }))
    assert.equal(decode(many).peers.length, MAX_LIMIT + 1)
    const one = decode([{ addresses: many.map(({ address }) => address) }])
    assert.equal(one.peers[0]!.addresses.length, MAX_ADDRESSES)
    assert.equal(decode({ peers: [], bootstraps: many.map(() => AT) }).bootstraps.length, MAX_SIBLINGS)
    assert.equal(decodeAnswer(new Uint8Array(512 * 1024 + 1)), 'answer_too_long')
  })

  it('are told from what is none', () => {
    assert.equal(decodeAnswer(Uint8Array.of(0xff)), 'answer_not_utf8')
    for (const text of ['', 'nothing', '\ufeff[]', '[', '[]]']) {
      assert.equal(decodeAnswer(Buffer.from(text)), 'answer_not_json', text)
    }
    for (const text of ['{}', '7', 'null', '"[]"', '{"peers":{}}', '{"error":"no"}', '{"__proto__":{"peers":[]}}']) {
      assert.equal(decodeAnswer(Buffer.from(text)), 'answer_not_a_list', text)
    }
  })

  it('any bytes give an answer or a fault, and never more than the caps', () => {
    const shape = fc.record(
      {
        peers: fc.anything({ maxDepth: 4 }),
        observed: fc.anything(),
        registrations: fc.array(fc.record({ address: fc.string(), status: fc.anything(), expiresIn: fc.anything() })),
        bootstraps: fc.array(fc.anything()),
        error: fc.anything(),
      },
      { requiredKeys: [] },
    )
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      shape.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(`[{"address":"${text}"}]`)),
    )
    fc.assert(
      fc.property(bytes, (line) => {
        const answer = decodeAnswer(line)
        if (typeof answer === 'string') {
          return
        }
        for (const { addresses } of answer.peers) {
          assert.ok(addresses.length > 0 && addresses.length <= MAX_ADDRESSES)
          assert.ok(addresses.every((each) => typeof each === 'string' && each.length <= 512))
        }
        for (const { status, code, expiresIn } of answer.registrations) {
          assert.ok(['listed', 'pending', 'refused'].includes(status))
          assert.equal(typeof code, 'string')
          assert.ok(expiresIn === null || expiresIn >= 0)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
