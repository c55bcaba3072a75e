/** A node with default settings whose only bootstrap is not there. */
import { bootstrapDiscovery } from '../../../src/client/index.ts'
import { startPeer } from '../../support/peers.ts'

const bootstraps = ['/ip4/127.0.0.1/tcp/1/p2p/12D3KooWEay2SXXakqWvbGkEJTiofUYyWt1MohdBRmnnqi11S6kK']

await startPeer({ peerDiscovery: [bootstrapDiscovery({ bootstraps })] })
