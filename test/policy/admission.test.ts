import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Address, addressAt, parseAddress } from '../../src/peer/address.ts'
import { type Caller, callerAt } from '../../src/peer/caller.ts'
import { parseIp } from '../../src/peer/ip.ts'
import { accessList } from '../../src/policy/access-list.ts'
import { type AdmissionRules, refuse } from '../../src/policy/admission.ts'
import type { RefusalCode } from '../../src/policy/refusal.ts'
import { PRIVATE_LIMITS, PUBLIC_LIMITS } from '../../src/policy/room.ts'
import { keyOf } from '../../src/registry/registration.ts'
import { Registry } from '../../src/registry/registry.ts'
import { RULES } from '../support/rules.ts'
import { HOUR, NOW } from '../support/tables.ts'

describe('who may register what', () => {
  const table: ReadonlyArray<{
    from: string
    what: string
    rules?: Partial<AdmissionRules>
    network?: string
    code?: RefusalCode
  }> = [
    { from: '8.8.8.8', what: '8.8.8.8:4001' },
    { from: '8.8.8.8', what: '8.8.8.8:1024' },
    { from: '8.8.8.8', what: '8.8.8.8:443' },
    { from: '8.8.8.8', what: '8.8.8.8:80' },
    { from: '2a01:4f8::1', what: '[2a01:4f8::1]:4001' },
    { from: '8.8.8.8', what: '8.8.8.8:1023', code: 'port_not_allowed' },
    { from: '8.8.8.8', what: '8.8.8.8:25', code: 'port_not_allowed' },
    { from: '8.8.8.8', what: '8.8.8.9:4001', code: 'ip_mismatch' },
    { from: '8.8.8.8', what: '[2a01:4f8::1]:4001', code: 'ip_mismatch' },
    { from: '8.8.8.8', what: '10.0.0.5:4001', code: 'ip_private' },
    { from: '8.8.8.8', what: '127.0.0.1:4001', code: 'ip_private' },
    { from: '8.8.8.8', what: '[fd00::1]:4001', code: 'ip_private' },
    { from: '10.0.0.5', what: '192.168.0.5:4001', code: 'ip_private' },
    { from: '10.0.0.5', what: '10.0.0.5:4001' },
    { from: '10.0.0.5', what: '10.0.0.6:4001', code: 'ip_mismatch' },
    { from: '127.0.0.1', what: '127.0.0.1:4001' },
    { from: '127.0.0.1', what: '127.0.0.1:22', code: 'port_not_allowed' },
    { from: '8.8.8.8', what: '224.0.0.1:4001', code: 'ip_special' },
    { from: '8.8.8.8', what: '[64:ff9b::808:808]:4001', code: 'ip_special' },
    { from: '8.8.8.8', what: '[::ffff:8.8.8.8]:4001', code: 'ip_special' },
    { from: '127.0.0.1', what: '[::ffff:127.0.0.1]:4001', code: 'ip_special' },
    { from: '203.0.113.7', what: '203.0.113.7:4001', code: 'ip_special' },
    { from: '8.8.8.8', what: '1.1.1.1:4001', rules: { allowForeignIp: true } },
    { from: '8.8.8.8', what: '10.0.0.5:4001', rules: { allowForeignIp: true }, code: 'ip_private' },
    { from: '8.8.8.8', what: '10.0.0.5:4001', rules: { allowPrivateIp: true } },
    { from: '8.8.8.8', what: '1.1.1.1:4001', rules: { allowPrivateIp: true }, code: 'ip_mismatch' },
    {
      from: '8.8.8.8',
      what: '224.0.0.1:4001',
      rules: { allowForeignIp: true, allowPrivateIp: true },
      code: 'ip_special',
    },
    { from: '8.8.8.8', what: '8.8.8.8:4001', rules: { networks: new Set(['a']) }, network: 'a' },
    { from: '8.8.8.8', what: '8.8.8.8:4001', rules: { networks: new Set(['a']) }, code: 'network_not_served' },
    { from: '8.8.8.8', what: '8.8.8.8:4001', rules: denying('8.8.8.0/24'), code: 'denied' },
    { from: '8.8.8.8', what: '8.8.8.8:4001', rules: denying('caller'), code: 'denied' },
    { from: '8.8.8.8', what: '1.1.1.1:4001', rules: { allowForeignIp: true, ...denying('1.1.1.1') }, code: 'denied' },
  ]
  for (const { from, what, rules, network = '', code } of table) {
    it(`${from} with ${what}${rules === undefined ? '' : ` under ${Object.keys(rules)}`}: ${code ?? 'welcome'}`, () => {
      assert.equal(
        refuse(
          caller('caller', from),
          network,
          target(what),
          { ...RULES, ...rules },
          new Registry({ listing: 'verified' }),
          NOW,
        ),
        code,
      )
    })
  }
})

describe('limits', () => {
  it('take each neighbourhood to its limit and no further, and the one beside it stays open', () => {
    const cases: ReadonlyArray<
      readonly [limit: number, code: RefusalCode, member: (n: number) => string, beside: string]
    > = [
      [PUBLIC_LIMITS.ip, 'limit_ip', () => '8.8.8.8', '8.8.8.9'],
      [PUBLIC_LIMITS['ip4/24'], 'limit_subnet', (n) => `8.8.8.${n % 256}`, '8.8.9.1'],
      [PUBLIC_LIMITS['ip4/16'], 'limit_subnet', (n) => `8.8.${n % 256}.${(n >> 8) % 256}`, '8.9.0.1'],
      [PUBLIC_LIMITS['ip6/64'], 'limit_ip', (n) => `2a01:4f8::${(n % 65_536).toString(16)}`, '2a01:4f8:0:1::1'],
      [PUBLIC_LIMITS['ip6/56'], 'limit_subnet', (n) => `2a01:4f8:0:${(n % 256).toString(16)}::1`, '2a01:4f8:0:100::1'],
      [
        PUBLIC_LIMITS['ip6/48'],
        'limit_subnet',
        (n) => `2a01:4f8:0:${((n % 256) << 8).toString(16)}::1`,
        '2a01:4f8:1::1',
      ],
      [PUBLIC_LIMITS['ip6/32'], 'limit_subnet', (n) => `2a01:4f8:${(n % 65_536).toString(16)}::1`, '2a01:4f9::1'],
    ]
    for (const [limit, code, member, beside] of cases) {
      const { registry, refused } = crowd(3 * limit, member)
      assert.equal(registry.size, limit, `${code} ${member(1)}`)
      assert.deepEqual([...refused], [code])
      assert.equal(tryToAdd(registry, 'neighbour', beside), undefined)
    }
  })

  it('never put anybody out: the first are still there, and renew, when 100,000 others have tried', () => {
    const { registry } = crowd(100_000, () => '8.8.8.8')
    for (let n = 0; n < PUBLIC_LIMITS.ip; n++) {
      assert.ok(
        registry.find({ network: '', peerId: `peer ${n}`, address: `/ip4/8.8.8.8/tcp/${1024 + n}` }) !== undefined,
      )
      assert.equal(
        refuse(caller(`peer ${n}`, '8.8.8.8'), '', target(`8.8.8.8:${1024 + n}`), RULES, registry, NOW),
        undefined,
      )
    }
  })

  it('free the place of who leaves', () => {
    const { registry } = crowd(1000, () => '8.8.8.8')
    const [first] = registry.all()
    assert.equal(tryToAdd(registry, 'late', '8.8.8.8'), 'limit_ip')
    registry.remove(first!)
    assert.equal(tryToAdd(registry, 'late', '8.8.8.8'), undefined)
  })

  it('count a peer over all networks', () => {
    const registry = new Registry({ listing: 'verified' })
    for (let n = 0; n < PUBLIC_LIMITS.peer; n++) {
      assert.equal(tryToAdd(registry, 'peer', `8.${n}.0.1`, `network ${n}`), undefined)
    }
    assert.equal(tryToAdd(registry, 'peer', '9.9.9.9', 'another'), 'limit_peer')
    assert.equal(tryToAdd(registry, 'another', '9.9.9.9', 'another'), undefined)
  })

  it('hold for networks, their number, and the whole; the default network stays open', () => {
    const registry = new Registry({ listing: 'verified' })
    const rules = { ...RULES, maxNetworks: 2, maxPeersPerNetwork: 3, maxRegistrations: 8 }
    const codes = Array.from({ length: 12 }, (_, n) => {
      const code = tryToAdd(registry, `peer ${n}`, `8.${n}.0.1`, `${'abc'[n >> 2]}`, rules)
      for (const each of registry.all()) {
        registry.put(keyOf(each), { now: NOW, expiresAt: NOW + HOUR })
        registry.recordProof(each, 'answered', NOW)
      }
      return code
    })
    assert.deepEqual(codes.slice(0, 4), [undefined, undefined, undefined, 'limit_network'])
    assert.deepEqual(codes.slice(4, 8), [undefined, undefined, undefined, 'limit_network'])
    assert.deepEqual(codes.slice(8), Array(4).fill('limit_networks'))
    assert.equal(tryToAdd(registry, 'x', '9.1.0.1', '', rules), undefined)
    assert.equal(tryToAdd(registry, 'y', '9.2.0.1', '', rules), undefined)
    assert.equal(tryToAdd(registry, 'z', '9.3.0.1', '', rules), 'limit_total')
  })

  it('leave room for a whole test network on one machine, and end there too', () => {
    const { registry, refused } = crowd(40_000, () => '127.0.0.1')
    assert.equal(registry.size, PRIVATE_LIMITS.ip)
    assert.deepEqual([...refused], ['limit_ip'])
    const range = crowd(70_000, (n) => `10.${n & 3}.0.1`)
    assert.equal(range.registry.size, PRIVATE_LIMITS.scope)
    assert.deepEqual([...range.refused], ['limit_range'])
  })

  it('can be lifted for closed networks', () => {
    const registry = new Registry({ listing: 'verified' })
    const rules = { ...RULES, unlimitedNeighbours: true }
    for (let n = 0; n < 100; n++) {
      assert.equal(tryToAdd(registry, `peer ${n}`, '8.8.8.8', '', rules, 1024 + n), undefined)
    }
  })
})

function crowd(count: number, member: (n: number) => string): { registry: Registry; refused: Set<RefusalCode> } {
  const registry = new Registry({ listing: 'verified' })
  const refused = new Set<RefusalCode>()
  for (let n = 0; n < count; n++) {
    const code = tryToAdd(registry, `peer ${n}`, member(n), '', RULES, 1024 + (n % 60_000))
    if (code !== undefined) {
      refused.add(code)
    }
  }
  return { registry, refused }
}

/** As the rendezvous point does: what is not refused gets its place at once. */
function tryToAdd(
  registry: Registry,
  peerId: string,
  ip: string,
  network = '',
  rules = RULES,
  port = 4001,
): RefusalCode | undefined {
  const address = addressAt(parseIp(ip)!, port)
  const code = refuse(caller(peerId, ip), network, address, rules, registry, NOW)
  if (code === undefined) {
    registry.reserve({ network, peerId, address: address.text }, { now: NOW, expiresAt: NOW + HOUR })
  }
  return code
}

function caller(peerId: string, ip: string): Caller {
  return callerAt(peerId, `/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/50000`)!
}

function target(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(typeof parsed !== 'string' && parsed.address !== undefined)
  return parsed.address
}

function denying(rule: string): Partial<AdmissionRules> {
  return { access: accessList({ deny: [rule], allow: [] }) }
}
