import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { createBootstrapPeer, memoryStore, type Store } from '../src/index.ts'
import { addressOf, ask, startPeer } from './support/peers.ts'

describe('the node', () => {
  it('keeps its PeerId from construction on, and starts and stops as often as one likes', async () => {
    const node = createBootstrapPeer()
    const { peerId } = node
    assert.equal(node.multiaddrs.length, 0)
    await node.start()
    await node.start()
    assert.match(node.multiaddrs.join(), new RegExp(`^/ip4/127.0.0.1/tcp/[0-9]+/p2p/${peerId}$`))
    await node.stop()
    await node.stop()
    await node.start()
    assert.equal(node.libp2p.peerId.toString(), peerId.toString())
    await node.stop()
  })

  it('is started once by two calls at the same time', async () => {
    const memory = memoryStore()
    let opened = 0
    const store: Store = {
      ...memory,
      open: () => {
        opened++
        return memory.open()
      },
    }
    const node = createBootstrapPeer({ store })
    await Promise.all([node.start(), node.start()])
    await Promise.all([node.stop(), node.stop()])
    assert.equal(opened, 1)
  })

  it('does what was asked last when it is stopped while it starts, and started while it stops', async () => {
    const node = createBootstrapPeer()
    const starting = node.start()
    await Promise.all([starting, node.stop()])
    assert.equal(node.status.running, false)
    assert.deepEqual(node.multiaddrs, [])
    await Promise.all([node.start(), node.stop(), node.start()])
    assert.equal(node.status.running, true)
    await node.stop()
    assert.equal(node.status.running, false)
  })

  it('is stopped at the end of the block that uses it', async () => {
    let left: ReturnType<typeof createBootstrapPeer>
    {
      await using node = createBootstrapPeer()
      await node.start()
      left = node
      assert.equal(left.status.running, true)
    }
    assert.equal(left.status.running, false)
  })

  it('can be started again after a start that failed', async () => {
    const other = createServer().listen({ host: '127.0.0.1', port: 0 })
    await once(other, 'listening')
    const node = createBootstrapPeer({ listen: [`/ip4/127.0.0.1/tcp/${(other.address() as AddressInfo).port}`] })
    await assert.rejects(node.start(), /EADDRINUSE/)
    other.close()
    await once(other, 'close')
    await node.start()
    await node.stop()
  })

  it('says why the start failed, also when the stop after it fails', async () => {
    const fails = (message: string) => async () => {
      throw new Error(message)
    }
    const store = { ...memoryStore(), open: fails('no list'), close: fails('nor a stop') }
    await assert.rejects(createBootstrapPeer({ store }).start(), /no list/)
  })

  it('answers for its status at any time', async (t) => {
    const node = createBootstrapPeer()
    const idle = { peerId: node.peerId.toString(), multiaddrs: [], running: false, uptimeMs: 0, connectionCount: 0 }
    assert.partialDeepStrictEqual(node.status, { ...idle, peerCount: 0, store: { status: 'ok' }, guard: undefined })
    await node.start()
    const peer = await startPeer()
    t.after(() => peer.stop())
    await ask(peer, node.multiaddrs[0]!, { address: addressOf(peer) })
    const running = node.status
    assert.deepEqual(running.multiaddrs, node.multiaddrs)
    assert(running.uptimeMs > 0)
    assert.partialDeepStrictEqual(running, { running: true, connectionCount: 1, peerCount: 1, registrationCount: 1 })
    assert.equal(running.counters.requests, 1)
    assert.equal(running.guard?.open, 1)
    await node.stop()
    assert.partialDeepStrictEqual(node.status, { ...idle, peerCount: 1, counters: running.counters })
    assert.equal(node.status.guard?.open, 0)
  })

  it('does not start on one family when the port of the other is taken', async () => {
    const other = createServer().listen({ host: '::1', port: 0, ipv6Only: true })
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const node = createBootstrapPeer({ listen: [`/ip4/127.0.0.1/tcp/${port}`, `/ip6/::1/tcp/${port}`] })
    await assert.rejects(node.start(), { code: 'EADDRINUSE' })
    other.close()
  })
})
