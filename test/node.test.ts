import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { createBootstrapPeer } from '../src/index.ts'

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

  it('does not start on one family when the port of the other is taken', async () => {
    const other = createServer().listen({ host: '::1', port: 0, ipv6Only: true })
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const node = createBootstrapPeer({ listen: [`/ip4/127.0.0.1/tcp/${port}`, `/ip6/::1/tcp/${port}`] })
    await assert.rejects(node.start(), { code: 'EADDRINUSE' })
    other.close()
  })
})
