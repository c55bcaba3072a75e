import assert from 'node:assert/strict'
import { BlockList, isIP } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type Ip,
  ip4Inside,
  ip4Number,
  networkGroupOf,
  parseIp,
  prefixOf,
  type Scope,
  scopeOf,
  subnetsOf,
} from '../../src/peer/ip.ts'

const ip4 = fc.ipV4()
const ip6 = fc.ipV6()

describe('parseIp', () => {
  it('takes what node calls an IP, without zones, and nothing else', () => {
    const text = fc.oneof(
      ip4,
      ip6,
      ip6.map((ip) => `${ip}%eth0`),
      fc.string(),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(text, (each) => {
        assert.equal(parseIp(each) !== undefined, isIP(each) !== 0 && !each.includes('%'))
      }),
      { numRuns: 5000 },
    )
  })

  it('writes IPv6 as URLs do, but for IPv4 inside of it, which RFC 5952 writes with dots', () => {
    fc.assert(
      fc.property(ip6, (text) => {
        const [url, ours] = [new URL(`http://[${text}]`).hostname.slice(1, -1), parse(text).text]
        assert.equal(new URL(`http://[${ours}]`).hostname.slice(1, -1), url)
        assert.ok(ours === url || /^::ffff:\d+\.\d+\.\d+\.\d+$/.test(ours), `${ours} instead of ${url}`)
      }),
      { numRuns: 5000 },
    )
  })

  it('gives each address one text', () => {
    fc.assert(
      fc.property(fc.oneof(ip4, ip6), (text) => {
        const once = parse(text).text
        assert.equal(parse(once).text, once)
        assert.ok(sameAddress(text, once))
      }),
      { numRuns: 3000 },
    )
  })

  for (const text of [
    '01.2.3.4',
    '1.2.3',
    '1.2.3.4.5',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.256',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '1.2.3.4\0',
    '',
    ':',
    ':::',
    '1::2::3',
    '::1%lo',
    'fe80::1%eth0',
    '[::1]',
    '12345::',
    'localhost',
    '::ffff:1.2.3',
    '１.2.3.4',
  ]) {
    it(`does not take ${JSON.stringify(text)}`, () => assert.equal(parseIp(text), undefined))
  }
})

describe('scopeOf', () => {
  // The IANA IPv4 and IPv6 special-purpose address registries and the multicast ranges: first and last of each, and,
  // where the neighbours are public, those too.
  const ranges: ReadonlyArray<readonly [range: string, scope: Scope, ...members: string[]]> = [
    ['0.0.0.0/8', 'special', '0.0.0.0', '0.255.255.255'],
    ['10.0.0.0/8', 'private-10', '10.0.0.0', '10.255.255.255'],
    ['100.64.0.0/10', 'shared', '100.64.0.0', '100.127.255.255'],
    ['127.0.0.0/8', 'loopback', '127.0.0.0', '127.0.0.1', '127.255.255.255'],
    ['169.254.0.0/16', 'link-local', '169.254.0.0', '169.254.169.254', '169.254.255.255'],
    ['172.16.0.0/12', 'private-172', '172.16.0.0', '172.31.255.255'],
    ['192.0.0.0/24', 'special', '192.0.0.0', '192.0.0.8', '192.0.0.170', '192.0.0.255'],
    ['192.0.2.0/24', 'special', '192.0.2.0', '192.0.2.255'],
    ['192.88.99.0/24', 'special', '192.88.99.0', '192.88.99.255'],
    ['192.168.0.0/16', 'private-192', '192.168.0.0', '192.168.255.255'],
    ['198.18.0.0/15', 'special', '198.18.0.0', '198.19.255.255'],
    ['198.51.100.0/24', 'special', '198.51.100.0', '198.51.100.255'],
    ['203.0.113.0/24', 'special', '203.0.113.0', '203.0.113.255'],
    ['224.0.0.0/4', 'special', '224.0.0.0', '239.255.255.255'],
    ['240.0.0.0/4', 'special', '240.0.0.0', '255.255.255.255'],
    ['::/96', 'special', '::', '::2', '::7f00:1', '::ffff:ffff'],
    ['::1/128', 'loopback', '::1'],
    ['::ffff:0:0/96', 'special', '::ffff:0.0.0.0', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8'],
    ['64:ff9b::/96', 'special', '64:ff9b::', '64:ff9b::7f00:1', '64:ff9b::ffff:ffff'],
    ['64:ff9b:1::/48', 'special', '64:ff9b:1::', '64:ff9b:1:ffff::1'],
    ['100::/64', 'special', '100::', '100::ffff:ffff:ffff:ffff'],
    ['100:0:0:1::/64', 'special', '100:0:0:1::1'],
    ['2001::/23', 'special', '2001::', '2001:0:7f00:1::', '2001:20::1', '2001:1ff:ffff::'],
    ['2001:db8::/32', 'special', '2001:db8::', '2001:db8:ffff::1'],
    ['2002::/16', 'special', '2002::', '2002:7f00:1::', '2002:ffff::'],
    ['3fff::/20', 'special', '3fff::', '3fff:fff:ffff::'],
    ['5f00::/16', 'special', '5f00::', '5f00:ffff::'],
    ['fc00::/7', 'unique-local', 'fc00::', 'fd00::1', 'fdff:ffff::'],
    ['fe80::/10', 'special', 'fe80::', 'fe80::1', 'febf:ffff::'],
    ['fec0::/10', 'special', 'fec0::', 'fec0::1', 'feff:ffff::'],
    ['ff00::/8', 'special', 'ff00::', 'ff02::1', 'ffff:ffff::'],
    ['not handed out by IANA', 'special', '1::', '1fff:ffff::', '4000::', '8000::', 'fbff:ffff::'],
    [
      'public',
      'public',
      '1.0.0.0',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
      '128.0.0.0',
      '169.253.255.255',
      '169.255.0.0',
      '172.15.255.255',
      '172.32.0.0',
      '191.255.255.255',
      '192.0.1.0',
      '192.0.3.0',
      '192.88.98.255',
      '192.88.100.0',
      '192.167.255.255',
      '192.169.0.0',
      '198.17.255.255',
      '198.20.0.0',
      '198.51.99.255',
      '198.51.101.0',
      '203.0.112.255',
      '203.0.114.0',
      '223.255.255.255',
      '8.8.8.8',
      '2000::',
      '2001:200::',
      '2001:4860:4860::8888',
      '2001:db7::',
      '2001:db9::',
      '2003::',
      '2a01:4f8::1',
      '3ffe::',
      '3fff:1000::',
    ],
  ]
  for (const [range, scope, ...members] of ranges) {
    it(`${range} is ${scope}`, () => {
      for (const member of members) {
        assert.equal(scopeOf(parse(member)), scope, member)
      }
    })
  }

  it('calls no IPv4 address in IPv6 clothes public, nor private', () => {
    fc.assert(
      fc.property(ip4, (text) => {
        const hex = hexOf(text)
        for (const disguised of [`::ffff:${text}`, `::${hex}`, `64:ff9b::${hex}`, `2002:${hex}::`, `2001:0:${hex}::`]) {
          assert.ok(['special', 'loopback'].includes(scopeOf(parse(disguised))), disguised)
          assert.equal(scopeOf(parse(disguised)) === 'loopback', parse(disguised).text === '::1', disguised)
        }
      }),
    )
  })
})

describe('prefixOf', () => {
  it('is the same for two addresses exactly when they share the prefix', () => {
    const pair = fc.oneof(
      fc.tuple(fc.constantFrom<16 | 24>(16, 24), ip4, fc.nat(31)),
      fc.tuple(fc.constantFrom<32 | 48 | 56 | 64>(32, 48, 56, 64), ip6, fc.nat(127)),
    )
    fc.assert(
      fc.property(pair, ([bits, text, flip]) => {
        const ip = parse(text)
        const other = flipBit(ip, flip)
        assert.equal(prefixOf(ip, bits) === prefixOf(other, bits), inSubnet(other, ip, bits), `${text} ${other.text}`)
      }),
      { numRuns: 5000 },
    )
  })

  it('never mixes up families and lengths', () => {
    const keys = ['1.2.3.4', '1.2.0.0'].flatMap((text) => [prefixOf(parse(text), 16), prefixOf(parse(text), 24)])
    assert.equal(new Set(keys).size, 3)
    assert.equal(networkGroupOf(parse('1.2.3.4')), '1.2/16')
    assert.equal(networkGroupOf(parse('2a01:4f8:1::1')), '2a01:4f8/32')
    assert.equal(prefixOf(parse('2a01:4f8:1:ff80::1'), 56), '2a01:4f8:1:ff00/56')
  })
})

it('ip4Number is one to one', () => {
  fc.assert(
    fc.property(ip4, (text) => {
      const number = ip4Number(parse(text))
      assert.equal(number, number | 0)
      assert.equal([24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.'), text)
    }),
  )
})

function parse(text: string): Ip {
  const ip = parseIp(text)
  assert.ok(ip !== undefined, text)
  return ip
}

function sameAddress(a: string, b: string): boolean {
  const list = new BlockList()
  list.addAddress(a, isIP(a) === 4 ? 'ipv4' : 'ipv6')
  return list.check(b, isIP(b) === 4 ? 'ipv4' : 'ipv6')
}

function inSubnet(ip: Ip, net: Ip, bits: number): boolean {
  const list = new BlockList()
  const family = net.family === 4 ? 'ipv4' : 'ipv6'
  list.addSubnet(net.text, bits, family)
  return list.check(ip.text, family)
}

function hexOf(text: string): string {
  const [a, b, c, d] = text.split('.').map(Number) as [number, number, number, number]
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function flipBit(ip: Ip, bit: number): Ip {
  if (ip.family === 4) {
    const bytes = ip.text.split('.').map(Number)
    bytes[bit >> 3]! ^= 0x80 >> (bit & 7)
    return parse(bytes.join('.'))
  }
  const list = new URL(`http://[${ip.text}]`).hostname.slice(1, -1).split('::')
  const left = list[0] === '' ? [] : list[0]!.split(':')
  const right = list[1] === undefined || list[1] === '' ? [] : list[1].split(':')
  const groups = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right]
  groups[bit >> 4] = (Number.parseInt(groups[bit >> 4]!, 16) ^ (0x8000 >> (bit & 15))).toString(16)
  return parse(groups.join(':'))
}

describe('subnetsOf', () => {
  for (const [text, subnets] of [
    ['8.9.10.11', ['8.9/16', '8.9.10/24', '8.9.10.11']],
    ['2a01:4f8:1:1234::1', ['2a01:4f8/32', '2a01:4f8:1/48', '2a01:4f8:1:1200/56', '2a01:4f8:1:1234/64']],
    ['2a01:4f8::1', ['2a01:4f8/32', '2a01:4f8:0/48', '2a01:4f8:0:0/56', '2a01:4f8:0:0/64']],
    ['2002:808:a0b::1', ['8.8/16', '8.8.10/24', '8.8.10.11']],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', ['192.0/16', '192.0.2/24', '192.0.2.45']],
    ['2001::4136:e378:8000:63bf:3fff:fdd2', ['192.0/16', '192.0.2/24', '192.0.2.45']],
    ['64:ff9b::808:a0b', ['8.8/16', '8.8.10/24', '8.8.10.11']],
    ['64:ff9b::1:0:808:a0b', ['64:ff9b/32', '64:ff9b:0/48', '64:ff9b:0:0/56', '64:ff9b:0:0/64']],
    ['2001:4860::8888', ['2001:4860/32', '2001:4860:0/48', '2001:4860:0:0/56', '2001:4860:0:0/64']],
  ] as const) {
    it(`of ${text}: ${subnets.join(', ')}`, () => {
      assert.deepEqual(subnetsOf(parse(text)), subnets)
    })
  }

  it('are the prefixes that limits count by', () => {
    fc.assert(
      fc.property(fc.oneof(ip4, ip6).map(parse), (ip) => {
        fc.pre(ip4Inside(ip) === undefined)
        const prefixes = ip.family === 4 ? ([16, 24] as const) : ([32, 48, 56, 64] as const)
        const expected = prefixes.map((bits) => prefixOf(ip, bits))
        assert.deepEqual(subnetsOf(ip), ip.family === 4 ? [...expected, ip.text] : expected)
      }),
      { numRuns: 2000 },
    )
  })
})
