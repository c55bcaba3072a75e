import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, before, describe, it, type TestContext } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { PrivateKey } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import { RendezvousClient } from '../../src/client/rendezvous-client.ts'
import { type BootstrapPeer, createBootstrapPeer } from '../../src/index.ts'
import { IDENTIFY_PROTOCOL } from '../../src/wire/identify-message.ts'
import { decodePeerInfo } from '../../src/wire/peer-info.ts'
import { ask, startPeer } from '../support/peers.ts'
import { type RecordInit, sealRecord } from '../support/records.ts'
import { exchangeMessage } from '../support/rendezvous.ts'
import { until } from '../support/wait.ts'

interface Peer {
  readonly libp2p: Libp2p
  readonly key: PrivateKey
  readonly id: string
  /** Where it listens, through a door that counts. */
  readonly address: string
  /** The sockets that came to it. */
  readonly calls: readonly Socket[]
  /** How often it was asked in identify. */
  readonly identified: () => number
}

/** Peers that register through `/bootstrap/1.0.0`, which takes no record, as stock rendezvous clients see them. */
describe('a peer that registered without a record', () => {
  let bootstrap: BootstrapPeer
  let at: string
  let js: Peer
  let rust: Peer
  let network = ''
  let networks = 0

  before(async () => {
    bootstrap = createBootstrapPeer()
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    js = await newPeer({})
    // As rust-libp2p does, these register in its own form, and so read that one.
    rust = await newPeer({})
  })

  after(async () => {
    await Promise.all([bootstrap.stop(), js.libp2p.stop(), rust.libp2p.stop()])
  })

  const register = async (peer: Peer) => {
    const { registrations } = await ask(peer.libp2p, at, { address: peer.address, network, explain: true })
    assert.equal(registrations[0].status, 'listed')
  }
  const hangUp = async (peer: Peer) => {
    await peer.libp2p.hangUp(bootstrap.peerId)
    await until(() => peer.calls.every(({ closed }) => closed), 'nothing is open to it')
  }
  /** Who is found, by clients of the two forms that registered themselves. */
  const seen = async () => {
    const found = async ({ libp2p, key, address }: Peer, form: 'standard' | 'legacy') => {
      const client = new RendezvousClient(libp2p, at, { privateKey: key, form })
      await client.register(network, [address])
      const { peers } = await client.discover(network)
      return peers.map(({ id }) => id).filter((id) => id !== libp2p.peerId.toString())
    }
    return { js: await found(js, 'standard'), rust: await found(rust, 'legacy') }
  }
  const fresh = () => {
    network = `learning ${networks++}`
  }

  it('is found by those who read its form, at the first request, though it has left', async (t) => {
    fresh()
    const peer = await newPeer({ t })
    await register(peer)
    await hangUp(peer)
    assert.equal(peer.identified(), 0)
    assert.deepEqual(await seen(), { js: [peer.id], rust: [] })
    assert.equal(peer.calls.length, 2, 'the dial-back of its registration, and one on which it was asked')
    assert.equal(peer.identified(), 1)
  })

  it('is found when it registers later, and costs no dial more', async (t) => {
    fresh()
    assert.deepEqual(await seen(), { js: [], rust: [] })
    const peer = await newPeer({ t })
    for (let n = 0; n < 3; n++) {
      await register(peer)
    }
    await until(async () => (await seen()).js.includes(peer.id), 'it is found')
    assert.equal(peer.calls.length, 1, 'its dial-back')
    assert.equal(peer.identified(), 1)
  })

  it('is found by rust-libp2p, and only by that, when its identify shows a record as rust-libp2p signs it', async (t) => {
    fresh()
    const [there, gone] = await Promise.all(
      [1, 2].map(() => newPeer({ t, form: 'legacy', agent: 'rust-libp2p/0.48.0' })),
    )
    assert.ok(there && gone)
    await register(there)
    await register(gone)
    await hangUp(gone)
    const found = await seen()
    assert.deepEqual(found.js, [])
    assert.deepEqual(new Set(found.rust), new Set([there.id, gone.id]))
  })

  it('is not found by what it did not sign of itself, or of places where it was not seen', async (t) => {
    fresh()
    const victim = await generateKeyPair('Ed25519')
    const liars = await Promise.all([
      newPeer({ t, subject: victim }),
      newPeer({ t, signer: victim }),
      newPeer({ t, also: ['/ip4/203.0.113.7/tcp/4001'] }),
      newPeer({ t, also: ['/dns4/example.com/tcp/4001'] }),
      newPeer({ t, instead: ['/ip4/127.0.0.1/tcp/4001'] }),
    ])
    for (const liar of liars) {
      await register(liar)
    }
    assert.deepEqual(await seen(), { js: [], rust: [] })
    assert.deepEqual(
      liars.map((each) => each.identified()),
      liars.map(() => 1),
    )
  })

  it('that never answers in identify holds up neither its registration nor for long who asks', async (t) => {
    fresh()
    const silent = await newPeer({ t })
    await silent.libp2p.unhandle(IDENTIFY_PROTOCOL)
    await silent.libp2p.handle(IDENTIFY_PROTOCOL, () => {})
    await register(silent)
    const began = performance.now()
    await seen()
    await register(silent)
    assert.ok(performance.now() - began < 4000)
  })

  it('tells by what it shows in identify which form it reads, before it registers', async (t) => {
    fresh()
    const client = ({ libp2p, key }: Peer, form: 'standard' | 'legacy') =>
      new RendezvousClient(libp2p, at, { privateKey: key, form })
    await client(js, 'standard').register(network, [js.address])
    await client(rust, 'legacy').register(network, [rust.address])
    for (const [init, expected] of [
      [{ agent: 'mychain/1.0', form: 'legacy' }, [rust.id]],
      [{ agent: 'mychain/1.0' }, [js.id]],
      [{ agent: 'rust-libp2p/0.48.0' }, [rust.id]],
    ] as const) {
      const stranger = await newPeer({ t, ...init })
      const { peers } = await client(stranger, 'standard').discover(network)
      assert.deepEqual(
        peers.map(({ id }) => id),
        expected,
        JSON.stringify(init),
      )
    }
    // It signs a record in identify as all others do, and its rendezvous reads the unsigned ones of the first draft.
    const python = await newPeer({ t, agent: 'py-libp2p/0.8.1' })
    const request = { type: 'DISCOVER' as const, ns: network, limit: undefined, cookie: undefined }
    const answer = await exchangeMessage(python.libp2p, at, request)
    assert.ok(answer?.type === 'DISCOVER_RESPONSE')
    assert.deepEqual(
      answer.registrations.map(({ signedPeerRecord }) => decodePeerInfo(signedPeerRecord!)?.addresses.length),
      [1, 1],
    )
  })
})

interface PeerInit extends Pick<RecordInit, 'form' | 'subject'> {
  readonly t?: TestContext
  readonly agent?: string
  /** Who signs its record. Default: itself. */
  readonly signer?: PrivateKey
  /** Addresses of its record beside where it is, or instead. */
  readonly also?: readonly string[]
  readonly instead?: readonly string[]
}

/** A js-libp2p peer behind a door that counts; what identify shows is js-libp2p's own, unless it is to lie. */
async function newPeer({ t, agent, form, subject, signer, also, instead }: PeerInit): Promise<Peer> {
  const key = await generateKeyPair('Ed25519')
  const calls: Socket[] = []
  let inside = 0
  const door = createServer((socket) => {
    calls.push(socket)
    const through = connect({ host: '127.0.0.1', port: inside })
    through.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.on('error', () => through.destroy()).on('close', () => through.destroy())
    socket.pipe(through).pipe(socket)
  })
  door.listen(0, '127.0.0.1').unref()
  await once(door, 'listening')
  const address = `/ip4/127.0.0.1/tcp/${(door.address() as AddressInfo).port}`
  const libp2p = await startPeer({
    privateKey: key,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'], announce: [address] },
    services: { identify: identify() },
    ...(agent === undefined ? {} : { nodeInfo: { userAgent: agent } }),
  })
  inside = listeningPort(libp2p)
  if (form ?? subject ?? signer ?? also ?? instead) {
    const envelope = await sealRecord(signer ?? key, instead ?? [address, ...(also ?? [])], {
      ...(form === undefined ? {} : { form }),
      subject: subject ?? key,
    })
    // What identify answers with when it is there.
    await libp2p.peerStore.patch(libp2p.peerId, { peerRecordEnvelope: envelope })
  }
  let identified = 0
  const handler = (libp2p as unknown as { components: { registrar: { getHandler(p: string): { handler: unknown } } } })
    .components.registrar
  const served = handler.getHandler(IDENTIFY_PROTOCOL) as { handler: (...args: unknown[]) => unknown }
  const { handler: answer } = served
  served.handler = (...args) => {
    identified++
    return answer(...args)
  }
  t?.after(async () => {
    door.close()
    await libp2p.stop()
  })
  return { libp2p, key, id: libp2p.peerId.toString(), address, calls, identified: () => identified }
}

/** What it announces is the door, so that is not it. */
function listeningPort(libp2p: Libp2p): number {
  const { transportManager } = (
    libp2p as unknown as { components: { transportManager: { getAddrs(): ReadonlyArray<{ toString(): string }> } } }
  ).components
  return Number(transportManager.getAddrs()[0]!.toString().split('/')[4])
}
