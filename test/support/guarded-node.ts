import { createLibp2p } from 'libp2p'
import type { HostInit } from '../../src/host/host-init.ts'
import { bootstrapOnly } from '../../src/host/libp2p.ts'
import { withHost } from '../../src/host/with-host.ts'
import { bootstrapService } from '../../src/service/service.ts'

/** Whatever outlives a failed test ends with this. `t` is the test's context. */
interface Scope {
  after(cleanUp: () => unknown): void
}

/** A libp2p node with the host's options and the bootstrap protocol, on a free port of loopback. */
export async function guardedNode(scope: Scope, init: HostInit = {}) {
  const { connectionManager } = bootstrapOnly
  const services = { ...bootstrapOnly.services, bootstrap: bootstrapService() }
  const node = await createLibp2p(
    withHost({ addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] }, connectionManager, services }, init),
  )
  scope.after(() => node.stop())
  return node
}

export type GuardedNode = Awaited<ReturnType<typeof guardedNode>>

export function targetOf(node: GuardedNode): string {
  return node.getMultiaddrs()[0]!.toString()
}
