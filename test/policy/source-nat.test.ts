import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Caller, callerAt } from '../../src/peer/caller.ts'
import { SourceNatWatch, SUSPICIOUS_PEERS } from '../../src/policy/source-nat.ts'

function caller(peer: number, ip: string): Caller {
  return callerAt(`peer-${peer}`, `/ip4/${ip}/tcp/4001`)!
}

function warnings(ips: readonly string[]): string[] {
  const watch = new SourceNatWatch()
  return ips.map((ip, peer) => watch.see(caller(peer, ip))).filter((warning) => warning !== undefined)
}

describe('the watch for a source NAT', () => {
  it('warns once when many peers come from one private IP', () => {
    const [warning, ...more] = warnings(new Array(3 * SUSPICIOUS_PEERS).fill('172.17.0.1'))
    assert.match(warning!, /172\.17\.0\.1/)
    assert.deepEqual(more, [])
  })

  it('is quiet when callers differ, are public, or are on this machine', () => {
    assert.deepEqual(warnings(['172.17.0.1', '172.17.0.2', ...new Array(20).fill('172.17.0.1')]), [])
    assert.deepEqual(warnings(new Array(20).fill('8.8.8.8')), [])
    assert.deepEqual(warnings(new Array(20).fill('127.0.0.1')), [])
  })

  it('does not count one peer that comes again and again', () => {
    const watch = new SourceNatWatch()
    for (let i = 0; i < 50; i++) {
      assert.equal(watch.see(caller(1, '10.0.0.1')), undefined)
    }
  })
})
