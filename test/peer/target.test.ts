import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isDialablePort } from '../../src/peer/address.ts'
import { targetOf } from '../../src/peer/target.ts'
import { callerFrom } from '../support/points.ts'

const PEER = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'
const CALLER = callerFrom(PEER, '/ip4/8.8.8.8/tcp/50000')

for (const [text, target] of [
  ['/ip4/9.9.9.9/tcp/4001', '/ip4/9.9.9.9/tcp/4001'],
  [`/ip4/9.9.9.9/tcp/4001/p2p/${PEER}`, '/ip4/9.9.9.9/tcp/4001'],
  [':4001', '/ip4/8.8.8.8/tcp/4001'],
  ['/ip4/0.0.0.0/tcp/4001', '/ip4/8.8.8.8/tcp/4001'],
  ['/ip4/8.8.8.8/tcp/4001/p2p/QmSoLPppuBtQSGwKDZT2M73ULpjvfd3aZ6ha4oFGL1KrGM', 'peer_mismatch'],
  ['/dns4/example.com/tcp/4001', 'address_unsupported'],
] as const) {
  it(`the place that ${text} names is ${target}`, () => {
    const found = targetOf(text, CALLER)
    assert.equal(typeof found === 'string' ? found : found.text, target)
  })
}

it('ports below 1024 are not dialed, but for 80 and 443', () => {
  const dialable = Array.from({ length: 1200 }, (_, port) => port).filter(isDialablePort)
  assert.deepEqual(dialable.slice(0, 3), [80, 443, 1024])
  assert.equal(dialable.length, 2 + 1200 - 1024)
})
