import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { callerAt } from '../../src/peer/caller.ts'

describe('callerAt', () => {
  it('knows every IPv4 and IPv6 caller in the form that libp2p writes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (ip, port) => {
        const remote = multiaddr(`/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/${port}`).toString()
        const caller = callerAt('peer', remote)
        assert.ok(caller !== undefined, remote)
        assert.equal(caller.observed, `/ip${caller.ip.family}/${caller.ip.text}/tcp/${port}`)
      }),
      { numRuns: 2000 },
    )
  })

  it('sees IPv4 callers of a dual-stack socket as what they are', () => {
    for (const text of ['/ip6/::ffff:127.0.0.1/tcp/9', '/ip6/::ffff:7f00:1/tcp/9']) {
      const caller = callerAt('peer', multiaddr(text).toString())
      assert.deepEqual(caller, {
        peerId: 'peer',
        ip: { family: 4, text: '127.0.0.1' },
        scope: 'loopback',
        observed: '/ip4/127.0.0.1/tcp/9',
      })
    }
  })

  it('does not know callers without an IP and a TCP port', () => {
    for (const text of [
      '',
      '/unix/tmp/x',
      '/ip4/1.2.3.4/udp/1/quic-v1',
      '/dns4/example.org/tcp/1',
      '/memory/1',
      '/p2p-circuit',
    ]) {
      assert.equal(callerAt('peer', text), undefined, text)
    }
  })
})
