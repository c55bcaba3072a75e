/** A program that adds the service to a libp2p node of its own, beside services of its own. */
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import {
  type BootstrapStatus,
  bootstrapService,
  createBootstrapPeer,
  type GuardStatus,
  type HostInit,
  type NodeStatus,
  withHost,
} from 'bootstrap-peer'
import { createLibp2p } from 'libp2p'

const init: HostInit = { maxConnections: 100 }
const mine = { identify: identify(), mine: ping({ protocolPrefix: 'mine' }), bootstrap: bootstrapService() }
const node = await createLibp2p(withHost({ addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] }, services: mine }, init))
if (!node.getProtocols().includes('/mine/ping/1.0.0') || node.services.guard.status.open !== 0) {
  throw new Error('it lost a service')
}
const status: BootstrapStatus = node.services.bootstrap.status
const guard: GuardStatus | undefined = status.guard
if (guard?.open !== 0) {
  throw new Error('the node has no guard')
}
await node.stop()

const own = createBootstrapPeer()
own.addEventListener('registered', ({ detail }) => console.log(detail.network, detail.peerId, detail.address))
const idle: NodeStatus = own.status
if (idle.running) {
  throw new Error('it runs before it was started')
}
