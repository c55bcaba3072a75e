import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import type { Libp2p } from 'libp2p'
import { TARGET } from '../../src/client/keeper-link.ts'
import { startFakeBootstrap } from '../client/fake-bootstrap.ts'
import { startBootstrap } from '../support/bootstraps.ts'
import { connectedGraph, graphOf } from '../support/connected-graph.ts'
import { delayingProxy } from '../support/delaying-proxy.ts'
import { lastFirst, type Scope } from '../support/last-first.ts'
import { startPeer } from '../support/peers.ts'
import { type ReadmeNode, startReadmeNode } from '../support/readme-node.ts'
import { until } from '../support/wait.ts'

const HONEST = 4

describe('a newcomer with a liar among its bootstraps, with the defaults', () => {
  it('connects to the honest peers though the liar, first to answer, names each at 8 silent addresses', async (t) => {
    const scope = lastFirst(t)
    const { nodes, far } = await honestNetwork(scope)
    const ports = await silentPorts(scope, 8)
    const records = nodes.map(({ peerId }) => ({
      addresses: ports.map((port) => `/ip4/127.0.0.1/tcp/${port}/p2p/${peerId}`),
    }))
    const liar = await startFakeBootstrap(() => `${JSON.stringify({ peers: records })}\n`)
    scope.after(() => liar.stop())
    // No honest peer comes to it by itself, as behind a NAT.
    const newcomer = await startReadmeNode({ bootstraps: [String(liar.getMultiaddrs()[0]), far], register: false })
    scope.after(() => newcomer.stop())
    await until(() => heldOf(newcomer, nodes) === HONEST, 'it is connected to all honest peers', 15_000)
  })

  it('connects to honest peers though those that the liar names fill it by connecting to it', async (t) => {
    const scope = lastFirst(t)
    const { nodes, far } = await honestNetwork(scope)
    const planted = await Promise.all(Array.from({ length: 12 }, () => startPeer()))
    scope.after(() => Promise.all(planted.map((each) => each.stop())))
    const records = planted.map((each) => ({ address: String(each.getMultiaddrs()[0]) }))
    const liar = await startFakeBootstrap(() => `${JSON.stringify({ peers: records })}\n`)
    scope.after(() => liar.stop())
    const newcomer = await startReadmeNode({ bootstraps: [String(liar.getMultiaddrs()[0]), far], register: false })
    scope.after(() => newcomer.stop())
    // libp2p takes five connections a second from one IP.
    for (const each of planted) {
      await until(() => dialled(each, newcomer), 'it has connected')
    }
    assert.ok(heldOf(newcomer, planted) >= TARGET, 'they are as many as it wants')
    await until(() => heldOf(newcomer, nodes) >= 3, 'it is connected to honest peers', 15_000)
  })
})

/** Nodes that are connected to each other, and their bootstrap, at 100 ms of round trip: any liar answers before it. */
async function honestNetwork(scope: Scope): Promise<{ readonly nodes: readonly ReadmeNode[]; readonly far: string }> {
  const bootstrap = await startBootstrap(scope)
  const [at] = bootstrap.multiaddrs as [string]
  const nodes = await Promise.all(Array.from({ length: HONEST }, () => startReadmeNode({ bootstraps: [at] })))
  scope.after(() => Promise.all(nodes.map((node) => node.stop())))
  await connectedGraph(() => graphOf(nodes), { target: HONEST - 1, within: 15_000 })
  const proxy = await delayingProxy(Number(/tcp\/(\d+)/.exec(at)![1]), 100)
  scope.after(() => proxy.close())
  return { nodes, far: at.replace(/tcp\/\d+/, `tcp/${proxy.port}`) }
}

/** How many of these a node holds. */
function heldOf(node: ReadmeNode, peers: ReadonlyArray<Pick<Libp2p, 'peerId'>>): number {
  const ids = new Set(peers.map(({ peerId }) => peerId.toString()))
  return node.services.peers.peers.filter(({ id }) => ids.has(id)).length
}

async function dialled(from: Libp2p, to: ReadmeNode): Promise<boolean> {
  return await from.dial(to.getMultiaddrs()).then(
    () => true,
    () => false,
  )
}

/** Ports that accept connections, and say nothing. */
async function silentPorts(scope: Scope, count: number): Promise<number[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => {})
        socket.resume()
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      scope.after(async () => {
        for (const socket of sockets) {
          socket.destroy()
        }
        await new Promise((resolve) => server.close(resolve))
      })
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : 0
    }),
  )
}
