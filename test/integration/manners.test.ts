import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { publicKeyFromProtobuf } from '@libp2p/crypto/keys'
import { type Identify, identify } from '@libp2p/identify'
import { type Ping, ping } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { type BootstrapPeer, createBootstrapPeer } from '../../src/index.ts'
import { BOOTSTRAP_PROTOCOL } from '../../src/wire/bootstrap-codec.ts'
import { ask, startPeer } from '../support/peers.ts'

/** A P-256 public key as go-libp2p writes it: type 3, then the PKIX form of RFC 5480. */
const GO_ECDSA_KEY = Buffer.from(
  '0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004fa7c7d283bd08ca7ae6b5af654d9def362bff085643c29712122' +
    '9af5a7c6aa7b9b0b5cc4c78af16511a37f0e205ea78dc52708561110531ecc106f17c8621628',
  'hex',
)

describe('a bootstrap to any libp2p node', () => {
  let bootstrap: BootstrapPeer
  let at: string
  let guest: Libp2p<{ identify: Identify; ping: Ping }>

  before(async () => {
    bootstrap = createBootstrapPeer()
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    const services = { identify: identify({ runOnConnectionOpen: false }), ping: ping() }
    guest = (await startPeer({ services })) as typeof guest
  })

  after(async () => {
    await Promise.all([guest, bootstrap].map((each) => each.stop()))
  })

  it('says in identify what it is and what it speaks', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    const result = await guest.services.identify.identify(await guest.dial(multiaddr(at)))
    assert.equal(result.agentVersion, `bootstrap-peer/${version}`)
    assert.ok([BOOTSTRAP_PROTOCOL, '/ipfs/ping/1.0.0', '/ipfs/id/1.0.0'].every((id) => result.protocols.includes(id)))
  })

  it('answers pings', async () => {
    assert.ok((await guest.services.ping.ping(multiaddr(at))) >= 0)
  })

  it('refuses a protocol that it does not speak, and stays connected', async () => {
    const connection = await guest.dial(multiaddr(at))
    await assert.rejects(connection.newStream('/ipfs/kad/1.0.0'), { name: 'UnsupportedProtocolError' })
    assert.deepEqual(await ask(guest, at, {}), [])
    assert.equal(connection.status, 'open')
  })

  // When this fails, a release of @libp2p/crypto reads such keys: take the exception out of docs/protocol.md, and out of
  // interop/cells/key-types.ts.
  it('can not serve callers with an ECDSA identity, whose keys @libp2p/crypto does not read', () => {
    assert.throws(() => publicKeyFromProtobuf(GO_ECDSA_KEY))
  })
})
