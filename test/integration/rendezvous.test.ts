import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { PrivateKey } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { RendezvousClient, RendezvousError } from '../../src/client/rendezvous-client.ts'
import { BootstrapPeer, type BootstrapPeerInit } from '../../src/node.ts'
import { encodePeerInfo } from '../../src/wire/peer-info.ts'
import type { Status } from '../../src/wire/rendezvous-messages.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { sealRecord } from '../support/records.ts'
import { exchangeMessage } from '../support/rendezvous.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

interface Peer {
  readonly libp2p: Libp2p
  readonly key: PrivateKey
  readonly id: string
  readonly address: string
}

describe('/rendezvous/1.0.0', () => {
  let now = Date.now()
  let node: BootstrapPeer
  let at: string
  const peers: Peer[] = []

  before(async () => {
    node = await start({}, () => now)
    at = node.multiaddrs[0]!
    for (let n = 0; n < 3; n++) {
      peers.push(await newPeer())
    }
  })

  after(async () => {
    await Promise.all([node.stop(), ...peers.map(({ libp2p }) => libp2p.stop())])
  })

  const client = ({ libp2p, key }: Peer, to = at) => new RendezvousClient(libp2p, to, { privateKey: key })
  const ids = (found: { readonly peers: ReadonlyArray<{ readonly id: string }> }) => found.peers.map(({ id }) => id)

  it('registers, discovers, and forgets who unregistered', async () => {
    const [a, b] = peers as [Peer, Peer]
    assert.equal(await client(a).register('basic', [a.address]), 7_200_000)
    assert.equal(await client(b).register('basic', [b.address], { ttl: 100_000 }), 100_000)
    const { peers: found } = await client(b).discover('basic')
    assert.deepEqual(
      new Set(found),
      new Set([
        { id: a.id, namespace: 'basic', multiaddrs: [a.address], ttl: 7_200_000 },
        { id: b.id, namespace: 'basic', multiaddrs: [b.address], ttl: 100_000 },
      ]),
    )
    await client(a).unregister('basic')
    await client(a).unregister('never there')
    assert.deepEqual(ids(await client(b).discover('basic')), [b.id])
  })

  it('answers with what changed since the cookie', async () => {
    const [a, b, c] = peers as [Peer, Peer, Peer]
    await client(a).register('delta', [a.address])
    const first = await client(c).discover('delta')
    assert.deepEqual(ids(first), [a.id])
    const nothing = await client(c).discover('delta', { cookie: first.cookie })
    assert.deepEqual(ids(nothing), [])
    await client(b).register('delta', [b.address])
    const more = await client(c).discover('delta', { cookie: nothing.cookie })
    assert.deepEqual(ids(more), [b.id])
    assert.ok((await client(a).register('delta', [a.address])) <= 7_200_000)
    assert.deepEqual(ids(await client(c).discover('delta', { cookie: more.cookie })), [], 'nothing changed')
    assert.equal(await client(a).register('delta', [a.address], { ttl: 9_000_000 }), 9_000_000)
    assert.deepEqual(ids(await client(c).discover('delta', { cookie: more.cookie })), [a.id])
  })

  it('pages by limit and cookie', async () => {
    for (const peer of peers) {
      await client(peer).register('pages', [peer.address])
    }
    const seen: string[] = []
    let cookie: Uint8Array | undefined
    for (let n = 0; n < 4; n++) {
      const page = await client(peers[0]!).discover('pages', { limit: 1, ...(cookie && { cookie }) })
      seen.push(...ids(page))
      cookie = page.cookie
    }
    assert.deepEqual(seen.sort(), peers.map(({ id }) => id).sort())
    assert.deepEqual(ids(await client(peers[0]!).discover('pages', { limit: 0 })), [])
  })

  it('discovers the peers of all namespaces without one', async () => {
    const [a] = peers as [Peer]
    await client(a).register('one', [a.address])
    await client(a).register('two', [a.address])
    const { peers: found } = await client(a).discover()
    const own = found.filter(({ id, namespace }) => id === a.id && ['one', 'two'].includes(namespace))
    assert.deepEqual(own.map(({ namespace }) => namespace).sort(), ['one', 'two'])
  })

  it('is one list with /bootstrap/1.0.0', async () => {
    const [a, b, c] = peers as [Peer, Peer, Peer]
    await client(a).register('both', [a.address])
    assert.deepEqual(await ask(b.libp2p, at, { network: 'both' }), [{ address: `${a.address}/p2p/${a.id}` }])
    await ask(b.libp2p, at, { network: 'both', address: b.address })
    const first = await client(c).discover('both')
    assert.deepEqual(ids(first).sort(), [a.id, b.id].sort(), 'its record came from identify')
    await ask(b.libp2p, at, { network: 'both', address: b.address, ttl: 0 })
    assert.deepEqual(ids(await client(c).discover('both')), [a.id])
  })

  it('forgets a registration when its time is over, not that of the record before it', async () => {
    const [a] = peers as [Peer]
    await client(a).register('expiry', [a.address], { ttl: 100_000 })
    now += 60_000
    assert.equal((await client(a).discover('expiry')).peers[0]!.ttl, 40_000)
    await client(a).register('expiry', [a.address], { ttl: 100_000 })
    now += 60_000
    assert.deepEqual(ids(await client(a).discover('expiry')), [a.id], 'the first record has not taken it along')
    now += 40_000
    assert.deepEqual(ids(await client(a).discover('expiry')), [])
  })

  it('does not hand out a peer that does not answer where it says', async () => {
    const [a] = peers as [Peer]
    await refuses('E_UNAVAILABLE', /connection was refused/, () =>
      client(a).register('dead', ['/ip4/127.0.0.1/tcp/65001']),
    )
    assert.deepEqual(await ask(a.libp2p, at, { network: 'dead' }), [])
  })

  it('hands out a record whole, when one of its addresses is proved', async () => {
    const [a] = peers as [Peer]
    const addresses = ['/ip4/127.0.0.1/tcp/65001', a.address, '/ip4/127.0.0.1/udp/65001/quic-v1']
    await client(a).register('whole', addresses)
    assert.deepEqual((await client(a).discover('whole')).peers[0]!.multiaddrs, addresses)
    assert.deepEqual(await ask(a.libp2p, at, { network: 'whole' }), [{ address: `${a.address}/p2p/${a.id}` }])
  })

  it('does not hand out private addresses of elsewhere', async () => {
    const [a] = peers as [Peer]
    // From the same machine all of its private ranges make sense.
    await client(a).register('private', [a.address, '/ip4/192.168.1.7/tcp/4001'])
    assert.deepEqual(ids(await client(a).discover('private')), [a.id])
    await refuses('E_INVALID_SIGNED_PEER_RECORD', /only literal/, () =>
      client(a).register('private 2', ['/ip4/192.168.1.7/tcp/4001']),
    )
  })

  const refusals: ReadonlyArray<
    readonly [name: string, Status, RegExp, (peer: Peer) => Promise<{ ns?: string; record?: Uint8Array; ttl?: number }>]
  > = [
    ['no namespace', 'E_INVALID_NAMESPACE', /no namespace/, async (a) => ({ record: await own(a) })],
    ['no record', 'E_INVALID_SIGNED_PEER_RECORD', /not a signed envelope/, async () => ({ ns: 'n' })],
    [
      'garbage',
      'E_INVALID_SIGNED_PEER_RECORD',
      /not a signed/,
      async () => ({ ns: 'n', record: Buffer.from('hello') }),
    ],
    [
      'a wrong signature',
      'E_INVALID_SIGNED_PEER_RECORD',
      /signature/,
      async (a) => {
        const record = await own(a)
        record[record.length - 1]! ^= 1
        return { ns: 'n', record }
      },
    ],
    [
      'another signer than the subject',
      'E_INVALID_SIGNED_PEER_RECORD',
      /signer/,
      async (a) => ({ ns: 'n', record: await sealRecord(peers[1]!.key, [a.address], { subject: a.key }) }),
    ],
    [
      'the record of another peer',
      'E_NOT_AUTHORIZED',
      /registers only itself/,
      async () => ({ ns: 'n', record: await own(peers[1]!) }),
    ],
    [
      'a public IP of another',
      'E_NOT_AUTHORIZED',
      /not the one you are seen at/,
      async (a) => ({ ns: 'n', record: await sealRecord(a.key, [a.address, '/ip4/8.8.8.8/tcp/4001']) }),
    ],
    [
      'a name',
      'E_INVALID_SIGNED_PEER_RECORD',
      /only literal/,
      async (a) => ({ ns: 'n', record: await sealRecord(a.key, [a.address, '/dns4/example.com/tcp/4001']) }),
    ],
    [
      'a relay',
      'E_INVALID_SIGNED_PEER_RECORD',
      /only literal/,
      async (a) => ({ ns: 'n', record: await sealRecord(a.key, [`${a.address}/p2p/${a.id}/p2p-circuit`]) }),
    ],
    [
      'seventeen addresses',
      'E_INVALID_SIGNED_PEER_RECORD',
      /1 to 16/,
      async (a) => ({ ns: 'n', record: await sealRecord(a.key, Array(17).fill(a.address)) }),
    ],
    ['a ttl of nothing', 'E_INVALID_TTL', /60 to 259200/, async (a) => ({ ns: 'n', record: await own(a), ttl: 0 })],
    ['a short ttl', 'E_INVALID_TTL', /60 to 259200/, async (a) => ({ ns: 'n', record: await own(a), ttl: 59 })],
    ['a long ttl', 'E_INVALID_TTL', /60 to 259200/, async (a) => ({ ns: 'n', record: await own(a), ttl: 259_201 })],
    [
      'an unsigned record of another',
      'E_NOT_AUTHORIZED',
      /registers only itself/,
      async (a) => ({ ns: 'n', record: info(peers[1]!, a.address) }),
    ],
  ]
  for (const [name, status, text, request] of refusals) {
    it(`refuses with a status: ${name}`, async () => {
      const [a] = peers as [Peer]
      const { ns, record, ttl } = await request(a)
      const answer = await exchangeMessage(a.libp2p, at, {
        type: 'REGISTER',
        ns,
        signedPeerRecord: record,
        ttlMs: ttl && ttl * 1000,
      })
      assert.ok(answer?.type === 'REGISTER_RESPONSE')
      assert.equal(answer.status, status)
      assert.match(answer.statusText!, text)
      assert.equal(answer.ttlMs, undefined)
    })
  }

  it('takes a record only when its number rises, also after unregistering', async () => {
    const [a] = peers as [Peer]
    const register = async (seq: bigint, addresses = [a.address]) => {
      const signedPeerRecord = await sealRecord(a.key, addresses, { seq })
      const answer = await exchangeMessage(a.libp2p, at, {
        type: 'REGISTER',
        ns: 'seq',
        signedPeerRecord,
        ttlMs: 100_000,
      })
      return answer?.type === 'REGISTER_RESPONSE' ? answer.status : undefined
    }
    assert.equal(await register(5n), 'OK')
    assert.equal(await register(5n), 'OK', 'the same record is a renewal')
    assert.equal(await register(4n), 'E_INVALID_SIGNED_PEER_RECORD')
    assert.equal(await register(5n, [a.address, `${a.address}/p2p/${a.id}`]), 'E_INVALID_SIGNED_PEER_RECORD')
    assert.equal(await register(6n), 'OK')
    await client(a).unregister('seq')
    assert.equal(await register(6n), 'E_INVALID_SIGNED_PEER_RECORD')
    assert.equal(await register(2n ** 63n), 'E_INVALID_SIGNED_PEER_RECORD')
    assert.equal(await register(7n), 'OK')
  })

  it('refuses a cookie that is none, or of another namespace', async () => {
    const [a] = peers as [Peer]
    const { cookie } = await client(a).discover('cookie')
    for (const wrong of [Buffer.from('x'), Buffer.alloc(400), cookie.subarray(1), Buffer.concat([cookie, cookie])]) {
      await refuses('E_INVALID_COOKIE', /cookie/, () => client(a).discover('cookie', { cookie: wrong }))
    }
    await refuses('E_INVALID_COOKIE', /cookie/, () => client(a).discover('another', { cookie }))
    await refuses('E_INVALID_COOKIE', /cookie/, () => client(a).discover(undefined, { cookie }))
    assert.deepEqual(ids(await client(a).discover('cookie', { cookie })), [])
  })

  it('answers what it can not read as far as it can tell what it was', async () => {
    const [a] = peers as [Peer]
    const cases: ReadonlyArray<readonly [hex: string, Status | undefined]> = [
      ['0800120100', 'E_INTERNAL_ERROR'],
      ['08032a0100', 'E_INTERNAL_ERROR'],
      [`08001283020a8002${'6e'.repeat(256)}`, 'E_INVALID_NAMESPACE'],
      [`08032a83020a8002${'6e'.repeat(256)}`, 'E_INVALID_NAMESPACE'],
      [`0800${'00'.repeat(9000)}`, 'E_INVALID_SIGNED_PEER_RECORD'],
      [`0803${'00'.repeat(9000)}`, 'E_INVALID_COOKIE'],
      ['0802', undefined],
      ['ffff', undefined],
      ['', undefined],
    ]
    for (const [hex, status] of cases) {
      const answer = await exchangeMessage(a.libp2p, at, Buffer.from(hex, 'hex'))
      assert.equal(answer && 'status' in answer ? answer.status : undefined, status, hex.slice(0, 20))
    }
  })

  it('gives each asker the records that it can read', async () => {
    const [js, rust, py] = peers as [Peer, Peer, Peer]
    const register = async (peer: Peer, signedPeerRecord: Uint8Array) => {
      const request = { type: 'REGISTER' as const, ns: 'stacks', signedPeerRecord, ttlMs: undefined }
      const answer = await exchangeMessage(peer.libp2p, at, request)
      assert.ok(answer?.type === 'REGISTER_RESPONSE')
      assert.equal(answer.status, 'OK', answer.statusText)
    }
    await register(js, await own(js))
    await register(rust, await sealRecord(rust.key, [rust.address], { form: 'routing-state' }))
    await register(py, info(py, py.address))
    assert.deepEqual(ids(await client(js).discover('stacks')), [js.id])
    assert.deepEqual(ids(await client(rust).discover('stacks')), [rust.id])
    const request = { type: 'DISCOVER' as const, ns: 'stacks', limit: undefined, cookie: undefined }
    const answer = await exchangeMessage(py.libp2p, at, request)
    assert.ok(answer?.type === 'DISCOVER_RESPONSE')
    assert.deepEqual(
      answer.registrations.map(({ signedPeerRecord }) => Buffer.from(signedPeerRecord!).toString('hex')).sort(),
      peers.map((peer) => Buffer.from(info(peer, peer.address)).toString('hex')).sort(),
    )
    assert.equal((await ask(js.libp2p, at, { network: 'stacks' })).length, 3, 'and all on the list')
  })

  it('serves only the networks that it serves', async () => {
    const closed = await start({ networks: ['mine'] })
    const [a] = peers as [Peer]
    const to = closed.multiaddrs[0]!
    await client(a, to).register('mine', [a.address])
    await refuses('E_INVALID_NAMESPACE', /not serve/, () => client(a, to).register('other', [a.address]))
    await refuses('E_INVALID_NAMESPACE', /not serve/, () => client(a, to).discover('other'))
    await closed.stop()
  })

  it('keeps the record over a restart, and a cookie of before starts over', async (t) => {
    const folder = await temporaryFolder(t)
    const key = await generateKeyPair('Ed25519')
    const init = { file: join(folder, 'peers.json'), privateKey: key }
    const [a] = peers as [Peer]
    const first = await start(init)
    const signedPeerRecord = await own(a)
    const request = { type: 'REGISTER' as const, ns: 'kept', signedPeerRecord, ttlMs: undefined }
    await exchangeMessage(a.libp2p, first.multiaddrs[0]!, request)
    const { cookie } = await client(a, first.multiaddrs[0]!).discover('kept')
    await first.stop()
    const second = await start(init)
    const found = await client(a, second.multiaddrs[0]!).discover('kept', { cookie })
    assert.deepEqual(
      found.peers.map(({ id, multiaddrs }) => ({ id, multiaddrs })),
      [{ id: a.id, multiaddrs: [a.address] }],
    )
    await second.stop()
  })

  it('is not there when it is switched off', async () => {
    const without = await start({ rendezvous: false })
    await assert.rejects(client(peers[0]!, without.multiaddrs[0]!).discover('n'), { name: 'UnsupportedProtocolError' })
    await without.stop()
  })

  async function start(init: BootstrapPeerInit, clock: () => number = Date.now): Promise<BootstrapPeer> {
    const started = new BootstrapPeer(init, { clock })
    await started.start()
    return started
  }
})

async function newPeer(): Promise<Peer> {
  const key = await generateKeyPair('Ed25519')
  const libp2p = await startPeer({ privateKey: key, services: { identify: identify() } })
  return { libp2p, key, id: libp2p.peerId.toString(), address: addressOf(libp2p) }
}

function own({ key, address }: Peer): Promise<Uint8Array> {
  return sealRecord(key, [address])
}

function info({ libp2p }: Peer, address: string): Uint8Array {
  return encodePeerInfo({ id: libp2p.peerId.toMultihash().bytes, addresses: [multiaddr(address).bytes] })
}

async function refuses(status: Status, text: RegExp, call: () => Promise<unknown>): Promise<void> {
  await assert.rejects(call, (err) => err instanceof RendezvousError && err.status === status && text.test(err.message))
}
