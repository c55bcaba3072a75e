import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseIp, scopeOf } from '../../src/peer/ip.ts'
import { neighbourhoodsOf } from '../../src/registry/neighbourhoods.ts'
import { Registry } from '../../src/registry/registry.ts'
import { NOW } from '../support/tables.ts'

describe('neighbourhoodsOf', () => {
  it('counts IPv4 by address, /24 and /16', () => {
    assert.deepEqual(kinds('8.8.8.8'), ['ip', 'ip4/24', 'ip4/16'])
    assert.deepEqual(shared('8.8.8.8', '8.8.8.9'), ['ip4/24', 'ip4/16'])
    assert.deepEqual(shared('8.8.8.8', '8.8.9.8'), ['ip4/16'])
    assert.deepEqual(shared('8.8.8.8', '8.9.8.8'), [])
    assert.deepEqual(shared('223.255.255.1', '95.255.255.1'), [])
  })

  it('counts IPv6 by address, /64, /56, /48 and /32', () => {
    assert.deepEqual(kinds('2a01:4f8::1'), ['ip', 'ip6/64', 'ip6/56', 'ip6/48', 'ip6/32'])
    assert.deepEqual(shared('2a01:4f8::1', '2a01:4f8::2'), ['ip6/64', 'ip6/56', 'ip6/48', 'ip6/32'])
    assert.deepEqual(shared('2a01:4f8::1', '2a01:4f8:0:1::1'), ['ip6/56', 'ip6/48', 'ip6/32'])
    assert.deepEqual(shared('2a01:4f8::1', '2a01:4f8:0:100::1'), ['ip6/48', 'ip6/32'])
    assert.deepEqual(shared('2a01:4f8::1', '2a01:4f8:1::1'), ['ip6/32'])
    assert.deepEqual(shared('2a01:4f8::1', '2a01:4f9::1'), [])
  })

  it('counts private ranges and loopback as one', () => {
    for (const ip of ['127.0.0.1', '10.1.2.3', '192.168.1.1', 'fd00::1', '100.64.0.1']) {
      assert.deepEqual(kinds(ip), ['ip', 'scope'])
    }
    assert.deepEqual(shared('127.0.0.1', '::1'), ['scope'])
    assert.deepEqual(shared('10.0.0.1', '192.168.0.1'), [])
  })
})

it('an empty table counts nothing: what came and went leaves no trace', () => {
  const registry = new Registry({ listing: 'verified' })
  const ips = ['8.8.8.8', '8.8.8.9', '127.0.0.1', '2a01:4f8::1', 'fd00::1']
  const entries = ips.map((ip) =>
    registry.put({ network: '', peerId: 'p', address: addressOf(ip) }, { now: NOW, expiresAt: NOW + 1 }),
  )
  assert.equal(registry.occupancy.count('peer', 'p'), 5)
  for (const entry of entries) {
    registry.remove(entry)
    registry.remove(entry)
  }
  for (const ip of ips) {
    for (const [kind, key] of places(ip)) {
      assert.equal(registry.occupancy.count(kind, key), 0)
    }
  }
  assert.equal(registry.occupancy.count('peer', 'p'), 0)
})

function addressOf(ip: string): string {
  return `/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/4001`
}

function places(text: string) {
  const ip = parseIp(text)!
  return neighbourhoodsOf(ip, scopeOf(ip))
}

function kinds(ip: string) {
  return places(ip).map(([kind]) => kind)
}

/** The kinds of neighbourhood in which two addresses count together. */
function shared(a: string, b: string) {
  const keys = new Map(places(b))
  return places(a)
    .filter(([kind, key]) => keys.get(kind) === key)
    .map(([kind]) => kind)
}
