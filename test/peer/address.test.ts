import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { type AddressFault, type AddressText, addressAt, ipOf, parseAddress } from '../../src/peer/address.ts'
import { parseIp } from '../../src/peer/ip.ts'

const ID = '12D3KooWEPumsK2iPDXHvJYEBJTfnMBhVQJBfZ9XjMBLuo1pjjKE'
const ip = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => parseIp(text)!)
const port = fc.integer({ min: 1, max: 65_535 })

describe('parseAddress', () => {
  it('reads back what addressAt writes, with and without a PeerId, and libp2p reads it the same', () => {
    fc.assert(
      fc.property(ip, port, fc.boolean(), (host, number, named) => {
        const { text } = addressAt(host, number)
        const parsed = read(named ? `${text}/p2p/${ID}` : text)
        const any = host.text === '0.0.0.0' || host.text === '::'
        assert.equal(parsed.address?.text, any ? undefined : text)
        assert.equal(parsed.port, number)
        assert.equal(parsed.peerId, named ? ID : undefined)
        assert.deepEqual(ipOf(text), host)
        if (!host.text.startsWith('::ffff:')) {
          assert.equal(multiaddr(text).toString(), text)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('reads host:port as the multiaddr it means', () => {
    fc.assert(
      fc.property(ip, port, (host, number) => {
        const written = host.family === 4 ? `${host.text}:${number}` : `[${host.text.toUpperCase()}]:${number}`
        assert.deepEqual(parseAddress(written), parseAddress(addressAt(host, number).text))
      }),
      { numRuns: 2000 },
    )
  })

  it('lets nothing through that is not literal ip, tcp and port, whatever the bytes', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '/',
        'ip4',
        'ip6',
        'tcp',
        'p2p',
        '1.2.3.4',
        '::1',
        '4001',
        '0',
        ':',
        '[',
        ']',
        '\0',
        '\n',
        '\x1b',
        ' ',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
    )
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(text, (each) => {
        const parsed = parseAddress(each)
        if (typeof parsed !== 'string') {
          assert.match(parsed.address?.text ?? '/ip4/1.1.1.1/tcp/1', /^\/ip[46]\/[0-9a-f.:]+\/tcp\/[1-9]\d{0,4}$/)
        }
      }),
      { numRuns: 20_000 },
    )
  })

  const faults: ReadonlyArray<readonly [fault: AddressFault, ...texts: string[]]> = [
    ['address_too_long', 'x'.repeat(257), `/ip4/1.2.3.4/tcp/4001/p2p/${'1'.repeat(240)}`, 'é'.repeat(129)],
    [
      'address_unsupported',
      '/dns4/example.org/tcp/4001',
      '/dns4/\x1b[31m/tcp/1',
      '/dnsaddr/bootstrap.libp2p.io',
      '/unix/tmp/socket',
      '/ip4/1.2.3.4/udp/4001/quic-v1',
      '/ip4/1.2.3.4/ipcidr/24',
      '/ip6zone/eth0/ip6/fe80::1/tcp/1',
      `/ip4/1.2.3.4/tcp/1/p2p/${ID}/p2p-circuit`,
      '/ip4/1.2.3.4/tcp/4001/ws',
      '/ip4/1.2.3.4/tcp/4001/',
      `/p2p/${ID}`,
      '/ip4',
      '/ip4/1.2.3.4',
      'example.org:4001',
      'localhost:4001',
      '2130706433:4001',
      '0x7f.1:4001',
    ],
    [
      'address_invalid',
      '',
      '/',
      '//',
      'x',
      '/ip4//tcp/4001',
      '/ip4/1.2.3/tcp/4001',
      '/ip4/::1/tcp/4001',
      '/ip6/1.2.3.4/tcp/4001',
      '/ip4/1.2.3.4/tcp/',
      '/ip4/1.2.3.4/tcp/x',
      '/ip4/1.2.3.4/tcp/-1',
      '/ip4/1.2.3.4/tcp/1e3',
      '/ip4/1.2.3.4/tcp/4001/p2p',
      '/ip4/1.2.3.4/tcp/4001/p2p/',
      '/ip4/1.2.3.4\0/tcp/4001',
      '/ip4/1.2.3.4/tcp/4001\n',
      '/ip4/1.2.3.4/tcp/123456',
      '/ip4/../tcp/4001',
      '1.2.3.4',
      '::1:4001',
      '[1.2.3.4]:4001',
      '[::1]4001',
      'a b:1',
      '/ip6/fe80::1%eth0/tcp/4001',
      '[::1%lo]:4001',
      '/ip4/127.0.0.1:22/tcp/4001',
      '1.2.3.4:',
      '1.2.3.4:+1',
      '/nope/x',
    ],
    ['port_invalid', '/ip4/1.2.3.4/tcp/0', '/ip4/1.2.3.4/tcp/65536', ':0', '1.2.3.4:99999'],
    [
      'address_not_canonical',
      '/ip4/1.2.3.4/tcp/04001',
      '/ip6/2001:DB8::1/tcp/4001',
      '/ip6/2001:db8:0:0::1/tcp/4001',
      '/ip6/::ffff:7f00:1/tcp/4001',
      '/ip6/0::/tcp/4001',
      '1.2.3.4:04001',
    ],
  ]
  for (const [fault, ...texts] of faults) {
    it(`says ${fault}`, () => {
      for (const text of texts) {
        assert.equal(parseAddress(text), fault, JSON.stringify(text))
      }
    })
  }

  it('reads "my port, wherever you see me"', () => {
    for (const text of ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/tcp/4001', ':4001', '0.0.0.0:4001', '[::]:4001']) {
      assert.deepEqual(parseAddress(text), { address: undefined, port: 4001, peerId: undefined }, text)
    }
  })

  it('is quick about the longest texts', () => {
    const texts = [
      `${'a'.repeat(250)}!:1`,
      `${'a-'.repeat(120)}:1`,
      `${'a.'.repeat(120)}!:1`,
      '/'.repeat(256),
      ':'.repeat(256),
    ]
    const started = performance.now()
    for (let n = 0; n < 1000; n++) {
      parseAddress(texts[n % texts.length]!)
    }
    assert.ok(performance.now() - started < 1000)
  })
})

function read(text: string): AddressText {
  const parsed = parseAddress(text)
  assert.ok(typeof parsed !== 'string', `${text}: ${parsed}`)
  return parsed
}
