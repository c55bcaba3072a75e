import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, it, type TestContext } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p } from 'libp2p'
import { type BootstrapPeer, createBootstrapPeer } from '../../src/index.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { until } from '../support/wait.ts'

describe('a dial-back', { concurrency: 4 }, () => {
  let bootstrap: BootstrapPeer
  let at: string
  let peer: Libp2p

  before(async () => {
    bootstrap = createBootstrapPeer()
    await bootstrap.start()
    at = bootstrap.multiaddrs[0]!
    peer = await startPeer()
    await ask(peer, at, {})
  })

  after(async () => {
    await Promise.all([peer.stop(), bootstrap.stop()])
  })

  /** The verdicts on a peer's addresses, and how long they took, ms. */
  async function verdicts(addresses: readonly string[], network: string, caller = peer) {
    const began = performance.now()
    const { registrations } = await ask(caller, at, { addresses, network, explain: true })
    return { codes: registrations.map(({ code }: { code: string }) => code), took: performance.now() - began }
  }

  it('waits 4 s for each address, for all of them side by side, and says what it found at each', async (t) => {
    const silent = await Promise.all([1, 2, 3].map(() => listener(t, () => {})))
    const web = await listener(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const rude = await listener(t, (socket) => socket.destroy())
    const other = await startPeer()
    t.after(() => other.stop())
    const addresses = [addressOf(peer), ...silent, web, rude, addressOf(other), await closedPort()]
    const { codes, took } = await verdicts(addresses, 'side by side')
    assert.deepEqual(codes, [
      'listed',
      ...silent.map(() => 'dial_timeout'),
      'dial_not_libp2p',
      'dial_not_libp2p',
      'dial_wrong_peer',
      'dial_refused',
    ])
    assert.ok(took > 3900 && took < 7900, `${took} ms`)
  })

  it('of one address is not held up by another of the same peer, nor answered by a connection that is there', async (t) => {
    const silent = await listener(t, () => {})
    const slow = verdicts([silent], 'one after the other')
    const closed = await closedPort()
    const { codes, took } = await verdicts([addressOf(peer), closed], 'one after the other')
    assert.deepEqual(codes, ['listed', 'dial_refused'])
    assert.ok(peer.getConnections().length > 0, 'it is connected all the while')
    assert.ok(took < 3000, `${took} ms`)
    assert.deepEqual((await slow).codes, ['dial_timeout'])
  })

  it('comes once for each new address, hangs up after the handshake, and does not come for a renewal', async (t) => {
    const calls: Socket[] = []
    const caller = await startPeer()
    t.after(() => caller.stop())
    const [, host, port] = /\/ip4\/(.*)\/tcp\/(\d+)/.exec(addressOf(caller))!
    const door = await listener(t, (socket) => {
      calls.push(socket)
      const inside = connect({ host: host!, port: Number(port) })
      inside.on('error', () => socket.destroy())
      socket.pipe(inside).pipe(socket)
    })
    assert.deepEqual((await verdicts([door], 'once', caller)).codes, ['listed'])
    assert.equal(calls.length, 1)
    await until(() => calls[0]!.closed, 'the bootstrap has hung up')
    for (let i = 0; i < 3; i++) {
      assert.deepEqual((await verdicts([door], 'once', caller)).codes, ['listed'])
    }
    assert.equal(calls.length, 1)
    assert.deepEqual((await verdicts([door], 'another', caller)).codes, ['listed'])
    assert.equal(calls.length, 2)
  })

  it('signs its key once for all of them', async (t) => {
    const key = await generateKeyPair('Ed25519')
    let signatures = 0
    const sign = (data: Uint8Array) => {
      signatures++
      return key.sign(data)
    }
    const node = createBootstrapPeer({ privateKey: Object.create(key, { sign: { value: sign } }) })
    await node.start()
    t.after(() => node.stop())
    const caller = await startPeer({ addresses: { listen: Array(8).fill('/ip4/127.0.0.1/tcp/0') } })
    t.after(() => caller.stop())
    const addresses = caller.getMultiaddrs().map((each) => each.toString())
    await ask(caller, node.multiaddrs[0]!, { addresses: addresses.slice(0, 1) })
    const before = signatures
    const { registrations } = await ask(caller, node.multiaddrs[0]!, { addresses, explain: true })
    assert.ok(registrations.every(({ code }: { code: string }) => code === 'listed'))
    assert.equal(signatures, before)
  })
})

/** Somebody who listens; where. */
async function listener(t: TestContext, onCall: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onCall(socket)
  })
  const address = await whereabouts(server)
  t.after(() => {
    server.close()
    for (const socket of sockets) {
      socket.destroy()
    }
  })
  return address
}

async function closedPort(): Promise<string> {
  const server = createServer()
  const address = await whereabouts(server)
  server.close()
  await once(server, 'close')
  return address
}

async function whereabouts(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`
}
