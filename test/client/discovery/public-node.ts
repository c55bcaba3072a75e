/**
 * A node with default settings that listens only at a public IP, and its bootstrap at another; for a network namespace that
 * has both. Says what became of its registration, and ends.
 */
import { tcp } from '@libp2p/tcp'
import { bootstrapDiscovery, type DiscoveryEvent } from '../../../src/client/index.ts'
import { createBootstrapPeer } from '../../../src/index.ts'
import { startPeer } from '../../support/peers.ts'

const IP = '45.2.2.2'

const bootstrap = createBootstrapPeer({ listen: ['/ip4/45.1.0.1/tcp/0'] })
await bootstrap.start()
const onEvent = (event: DiscoveryEvent) => {
  if (event.type === 'outcomes') {
    const [outcome] = event.registrations
    process.stdout.write(`${outcome?.status} ${outcome?.address}\n`, () => process.exit())
  }
}
await startPeer({
  addresses: { listen: [`/ip4/${IP}/tcp/4001`] },
  // The kernel of the namespace would choose another source.
  transports: [tcp({ dialOpts: { localAddress: IP } as object })],
  peerDiscovery: [bootstrapDiscovery({ bootstraps: bootstrap.multiaddrs, onEvent })],
})
