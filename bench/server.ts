// Our node, as it is, with every protection on.
//   --file <path>    its list; in memory by default
//   --reprove <ms>   how long a proof counts
//   --unoptimized    with every optimization off
import { parseArgs } from 'node:util'
import { OPTIMIZATIONS } from '../src/host/switches.ts'
import { createBootstrapPeer, fileStore, memoryStore } from '../src/index.ts'
import { reportToParent } from './report.ts'
import { WatchedStore } from './watched-store.ts'

/** The lists that a bench preloads name addresses that must never be dialled. */
const NEVER_MS = 7 * 24 * 3_600_000

const { file, reprove, unoptimized } = parseArgs({
  options: {
    file: { type: 'string' },
    reprove: { type: 'string', default: String(NEVER_MS) },
    unoptimized: { type: 'boolean', default: false },
  },
}).values
if (file !== undefined && reprove !== String(NEVER_MS)) {
  throw new Error('a list that was preloaded must not be dialled')
}
const store = new WatchedStore(file === undefined ? memoryStore() : fileStore({ path: file }))
const node = createBootstrapPeer({
  store,
  reproveInterval: Number(reprove),
  maxPeers: 10_000_000,
  maxPeersPerNetwork: 10_000_000,
  disable: { optimizations: unoptimized ? OPTIMIZATIONS : [] },
})
const started = performance.now()
await node.start()
reportToParent(node.multiaddrs[0]!, performance.now() - started, {
  settle: () => store.settle(),
  snapshot: () => store.snapshot(),
})
