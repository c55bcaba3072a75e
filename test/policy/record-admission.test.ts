import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import { judgeRecord } from '../../src/policy/record-admission.ts'
import { seededRandom } from '../support/random.ts'
import { isHandedOut, PEER, tallyAddresses } from '../support/record-addresses.ts'
import { RULES } from '../support/rules.ts'

const IP = '8.8.8.8'
const TCP = `/ip4/${IP}/tcp/4001`
const HASH = `/certhash/uEiA${'a'.repeat(43)}`
const KEY = 'k51qzi5uqu5dhnwe629wdlncpql6frppdpwnz4wtlcw816aysd5wwlk63g4wmh'

describe('the addresses of a signed record', () => {
  it('may have each of these shapes', () => {
    for (const address of [
      TCP,
      `${TCP}/p2p/${PEER}`,
      `/ip4/${IP}/tcp/80`,
      `${TCP}/ws`,
      `${TCP}/wss`,
      `${TCP}/tls/ws/p2p/${PEER}`,
      `${TCP}/tls/sni/8-8-8-8.${KEY}.libp2p.direct/ws`,
      `/ip4/${IP}/udp/4001/quic-v1`,
      `/ip4/${IP}/udp/4001/quic-v1/webtransport${HASH}${HASH}/p2p/${PEER}`,
      `/ip4/${IP}/udp/4001/webrtc-direct${HASH}`,
    ]) {
      assert.equal(multiaddr(address).toString(), address)
      assert.ok(isHandedOut(address, IP), address)
    }
    assert.ok(isHandedOut(`/ip6/2a00:1450::1/tcp/1/tls/sni/x/ws`, '2a00:1450::1') === false)
    const ip6 = `/ip6/2a00:1450::/tcp/4001/tls/sni/2a00-1450--0.${KEY}.libp2p.direct/ws`
    assert.ok(isHandedOut(ip6, '2a00:1450::'), ip6)
  })

  it('lead nowhere else: not behind the first IP, not by a name, and to no port of another service', () => {
    for (const [address, code] of [
      [`${TCP}/ip4/9.9.9.9/tcp/22`, 'address_unsupported'],
      [`${TCP}/ip4/9.9.9.9/tcp/4001`, 'address_unsupported'],
      [`${TCP}/ip4/192.168.1.1/tcp/8080`, 'address_unsupported'],
      [`${TCP}/dns4/victim.example/tcp/4001`, 'address_unsupported'],
      [`${TCP}/unix/socket`, 'address_unsupported'],
      [`${TCP}/p2p/${PEER}/ip4/9.9.9.9/tcp/4001`, 'address_unsupported'],
      [`${TCP}/p2p/${PEER}/p2p-circuit`, 'address_unsupported'],
      [`${TCP}/p2p/${PEER}/p2p/${PEER}`, 'address_unsupported'],
      // js-libp2p's WebSockets connect to the name.
      [`${TCP}/tls/sni/victim.example/ws`, 'address_unsupported'],
      [`${TCP}/tls/sni/9-9-9-9.${KEY}.libp2p.direct/ws`, 'address_unsupported'],
      [`${TCP}/tls`, 'address_unsupported'],
      [`/ip4/${IP}/tcp/4001/http`, 'address_unsupported'],
      [`/ip4/${IP}/udp/4001`, 'address_unsupported'],
      [`/ip4/${IP}/udp/4001/quic-v1/webtransport`, 'address_unsupported'],
      [`/ip4/${IP}/tcp/22`, 'port_not_allowed'],
      [`/ip4/${IP}/tcp/25/ws`, 'port_not_allowed'],
      [`/ip4/${IP}/tcp/0`, 'port_invalid'],
      [`/ip4/9.9.9.9/tcp/4001`, 'ip_mismatch'],
      [`/ip4/224.0.0.1/tcp/4001`, 'ip_special'],
    ] as const) {
      const record = { peerId: PEER, addresses: [TCP, address] }
      assert.equal(judgeRecord(record, new Set([IP]), RULES), code, address)
    }
  })

  it('are dialled nowhere but at an IP that their peer holds, by the reading of Go, Rust and JavaScript', () => {
    // A million of them: `npm run test:hostile -- --only record-addresses --long`.
    const { written, handedOut, shapes, elsewhere } = tallyAddresses(20_000, seededRandom(11))
    assert.deepEqual(elsewhere, [])
    assert.ok(written > 15_000 && handedOut > 1000, `${written} written, ${handedOut} handed out`)
    assert.ok(shapes.size >= 18, [...shapes].join('\n'))
  })
})
