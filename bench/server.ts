// Our node, as it is, with every protection on. argv: <path of its peers.json, or "-" for memory> [a lever to leave]…
import type { Lever } from '../src/host/levers.ts'
import { createBootstrapPeer } from '../src/index.ts'
import { reportToParent } from './report.ts'

const [, , peers = '-', ...unlevered] = process.argv
const node = createBootstrapPeer({
  ...(peers === '-' ? {} : { peers }),
  // The lists that a bench preloads name addresses that must never be dialled.
  reproveInterval: 7 * 24 * 3_600_000,
  maxPeers: 10_000_000,
  maxPeersPerNetwork: 10_000_000,
  unlevered: unlevered as Lever[],
})
const started = performance.now()
await node.start()
reportToParent(node.multiaddrs[0]!, performance.now() - started)
