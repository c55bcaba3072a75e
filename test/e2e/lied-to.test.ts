import { createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { startFakeBootstrap } from '../client/fake-bootstrap.ts'
import { startBootstrap } from '../support/bootstraps.ts'
import { connectedGraph, graphOf } from '../support/connected-graph.ts'
import { delayingProxy } from '../support/delaying-proxy.ts'
import { lastFirst, type Scope } from '../support/last-first.ts'
import { startReadmeNode } from '../support/readme-node.ts'
import { until } from '../support/wait.ts'

const HONEST = 4

describe('a newcomer with a liar among its bootstraps, with the defaults', () => {
  it('connects to the honest peers though the liar, first to answer, names each at 8 silent addresses', async (t) => {
    const scope = lastFirst(t)
    const honest = await startBootstrap(scope)
    const nodes = await Promise.all(
      Array.from({ length: HONEST }, () => startReadmeNode({ bootstraps: honest.multiaddrs })),
    )
    scope.after(() => Promise.all(nodes.map((node) => node.stop())))
    await connectedGraph(() => graphOf(nodes), { target: HONEST - 1, within: 15_000 })
    const ports = await silentPorts(scope, 8)
    const records = nodes.map(({ peerId }) => ({
      addresses: ports.map((port) => `/ip4/127.0.0.1/tcp/${port}/p2p/${peerId}`),
    }))
    let answered = 0
    const liar = await startFakeBootstrap(() => {
      answered++
      return `${JSON.stringify({ peers: records })}\n`
    })
    scope.after(() => liar.stop())

    // The liar answers first; and no honest peer comes to the newcomer by itself, as behind a NAT.
    const far = await delayingProxy(Number(/tcp\/(\d+)/.exec(honest.multiaddrs[0]!)![1]), 100)
    scope.after(() => far.close())
    const bootstraps = [String(liar.getMultiaddrs()[0]), honest.multiaddrs[0]!.replace(/tcp\/\d+/, `tcp/${far.port}`)]
    const began = performance.now()
    const newcomer = await startReadmeNode({ bootstraps, register: false })
    scope.after(() => newcomer.stop())
    const good = new Set(nodes.map(({ peerId }) => peerId.toString()))
    const reached = () => newcomer.services.peers.peers.filter(({ id }) => good.has(id)).length
    await until(() => reached() === HONEST && answered > 0, 'it is connected to all honest peers', 15_000)
    t.diagnostic(`connected after ${(performance.now() - began).toFixed(0)} ms`)
  })
})

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
