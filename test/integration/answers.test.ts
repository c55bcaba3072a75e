import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Libp2p } from 'libp2p'
import { createBootstrapPeer } from '../../src/index.ts'
import { BootstrapPeer } from '../../src/node.ts'
import { knownPeers, storeOf } from '../support/known-peers.ts'
import { addressOf, ask, exchange, startPeer } from '../support/peers.ts'

interface PeerJson {
  readonly address: string
  readonly addresses?: readonly string[]
}

describe('the answer', () => {
  const now = Date.now()
  let bootstrap: BootstrapPeer
  let at: string
  let peer: Libp2p
  let own: string

  before(async () => {
    const store = storeOf([
      ...knownPeers(3, { now, network: 'three' }),
      ...knownPeers(1200, { now, network: 'crowd', ip: '127.0.0.2' }),
      ...knownPeers(1200, { now, network: 'wide', addresses: 8, ip: '127.0.0.3' }),
      ...knownPeers(250, { now, network: 'dual', addresses: 4, ip: '127.0.0.4' }),
    ])
    bootstrap = new BootstrapPeer({ listen: ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'], store }, { clock: () => now })
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    peer = await startPeer({ addresses: { listen: ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'] } })
    own = addressOf(peer)
  })

  after(async () => {
    await Promise.all([peer.stop(), bootstrap.stop()])
  })

  it('holds everybody else where there are at most 250, once each', async () => {
    assert.equal(idsOf(await ask(peer, at, { network: 'three' })).size, 3)
    const dual = await ask(peer, at, { network: 'dual', limit: 1000 })
    assert.equal(dual.length, 250)
    assert.equal(idsOf(dual).size, 250)
  })

  it('holds a random 250 of more', async () => {
    const first = await ask(peer, at, { network: 'crowd' })
    const second = await ask(peer, at, { network: 'crowd' })
    assert.equal(first.length, 250)
    assert.equal(idsOf(first).size, 250)
    assert.notDeepEqual(idsOf(first), idsOf(second))
  })

  it('begins with the caller, who does not count', async () => {
    const request = { address: own, network: 'crowd' }
    for (const [limit, length] of [
      [undefined, 251],
      [10, 11],
      [1, 2],
      [0, 1],
    ] as const) {
      const answer = await ask(peer, at, { ...request, limit })
      assert.equal(answer.length, length)
      assert.equal(answer[0].address, `${own}/p2p/${peer.peerId}`)
      assert.ok(!idsOf(answer.slice(1)).has(peer.peerId.toString()))
    }
  })

  it('is empty with limit 0 for whoever is not listed', async () => {
    assert.equal(await exchange(peer, at, '{"network":"three","limit":0}'), '[]\n')
  })

  it('holds up to 1000 when asked for as many, or for more', async () => {
    assert.equal((await ask(peer, at, { network: 'crowd', limit: 1000 })).filter(isOther).length, 1000)
    assert.equal((await ask(peer, at, { network: 'crowd', limit: 5000 })).filter(isOther).length, 1000)
  })

  it('has at most 60 KiB unless asked for more, and 512 KiB ever', async () => {
    const fill = async (request: object) => Buffer.byteLength(await exchange(peer, at, JSON.stringify(request)))
    const recordBytes = 1024
    for (const explain of [false, true]) {
      const default_ = await fill({ network: 'wide', explain })
      assert.ok(default_ <= 60 * 1024 && default_ > 60 * 1024 - recordBytes, `${default_} bytes`)
      const most = await fill({ network: 'wide', limit: 1000, explain })
      assert.ok(most <= 512 * 1024 && most > 512 * 1024 - recordBytes, `${most} bytes`)
    }
  })

  it('stays within its bound with the longest verdicts there are', async () => {
    const addresses = Array.from({ length: 8 }, (_, n) => `${n}${'"\\'.repeat(250)}`)
    const answer = await exchange(peer, at, JSON.stringify({ addresses, network: 'wide', explain: true }))
    assert.ok(Buffer.byteLength(answer) <= 60 * 1024)
    const { registrations } = JSON.parse(answer)
    assert.equal(registrations.length, 8)
    assert.equal(registrations[3].address, addresses[3]!.slice(0, 256))
  })

  it("puts the address of the asker's family first", async () => {
    const [v4, v6] = peer.getMultiaddrs().map(String) as [string, string]
    const over6 = bootstrap.multiaddrs.find((each) => each.startsWith('/ip6/'))!
    await peer.hangUp(bootstrap.peerId)
    await ask(peer, over6, { address: v6, network: 'both' })
    await peer.hangUp(bootstrap.peerId)
    const [by4] = await ask(peer, at, { address: v4, network: 'both' })
    assert.deepEqual(by4, { address: v4, addresses: [v4, v6] })
    await peer.hangUp(bootstrap.peerId)
    const [by6] = await ask(peer, over6, { network: 'both' })
    assert.deepEqual(by6, { address: v6, addresses: [v6, v4] })
    await peer.hangUp(bootstrap.peerId)
  })

  it('explains itself when asked: peers, where the caller is seen, and what became of each address', async () => {
    const addresses = [own, '/ip4/127.0.0.1/tcp/65001', 'nonsense']
    const answer = await ask(peer, at, { addresses, network: 'explained', explain: true })
    assert.deepEqual(Object.keys(answer), ['peers', 'observed', 'registrations'])
    assert.deepEqual(answer.peers, [{ address: `${own}/p2p/${peer.peerId}` }])
    assert.match(answer.observed, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)
    assert.deepEqual(
      answer.registrations.map(({ address, status, code, expiresIn }: Record<string, unknown>) => [
        address,
        status,
        code,
        expiresIn,
      ]),
      [
        [own, 'listed', 'listed', 7200],
        ['/ip4/127.0.0.1/tcp/65001', 'refused', 'dial_refused', null],
        ['nonsense', 'refused', 'address_invalid', null],
      ],
    )
  })

  it('names its siblings, and not itself', async (t) => {
    const privateKey = await generateKeyPair('Ed25519')
    const [itself, other] = [peerIdFromPrivateKey(privateKey), peer.peerId].map(
      (id) => `/ip4/45.0.0.1/tcp/4000/p2p/${id}`,
    )
    const sibling = createBootstrapPeer({ privateKey, siblings: [itself!, other!] })
    await sibling.start()
    t.after(() => sibling.stop())
    assert.deepEqual((await ask(peer, sibling.multiaddrs[0]!, { explain: true })).bootstraps, [other])
  })

  it('explains an answer to a mere question too', async () => {
    const { peers, registrations } = await ask(peer, at, { network: 'three', explain: true })
    assert.equal(peers.length, 3)
    assert.deepEqual(registrations, [])
  })

  it('holds the list for a caller whose address is refused', async () => {
    assert.equal((await ask(peer, at, { address: '/ip4/127.0.0.1/tcp/65001', network: 'three' })).length, 3)
    assert.equal((await ask(peer, at, { address: 'nonsense', network: 'three' })).length, 3)
  })

  function isOther({ address }: PeerJson): boolean {
    return !address.endsWith(peer.peerId.toString())
  }
})

function idsOf(peers: readonly PeerJson[]): Set<string> {
  return new Set(peers.map(({ address }) => address.split('/p2p/')[1]!))
}
