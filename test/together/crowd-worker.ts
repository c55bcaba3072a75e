/** Some of a crowd's nodes in a process of their own, which tells the one that started it how they fare. See `crowd.ts`. */
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { bootstrapDiscovery, type DiscoveryEvent, peerKeeper } from '../../src/client/index.ts'
import { leveredNoise } from '../../src/host/patches/patched-noise.ts'
import { quietLogger } from '../../src/host/patches/silent-logger.ts'

/** Start a node. */
export interface Order {
  /** Where it calls from. */
  readonly ip: string
  readonly bootstraps: readonly string[]
}

/** Something that happened to a node: its PeerId, when (ms since the epoch), what, and with which peer or code. */
export type Report = readonly [id: string, at: number, what: Happening, detail: string]

export type Happening = 'started' | 'connected' | 'disconnected' | 'answered' | 'listed' | 'refused' | 'failed'

/** Reports of this long go together, ms. */
const BATCH_MS = 100

let batch: Report[] = []

process.on('message', ({ ip, bootstraps }: Order) => void start(ip, bootstraps))
setInterval(() => {
  if (batch.length > 0) {
    process.send!(batch)
    batch = []
  }
}, BATCH_MS)
// The one who wants to know is gone.
process.once('disconnect', () => process.exit())

/**
 * The README's three lines at an IP of its own. The node listens at every IP, as most do, so it registers its port "at
 * the IP you see me at". Light, because a few cores stand for a thousand machines: nothing is logged, handshakes cost
 * half, and libp2p does not ping each connection every 10 s beside the keeper.
 */
async function start(ip: string, bootstraps: readonly string[]): Promise<void> {
  const report = (what: Happening, detail = '') => batch.push([id, Math.round(now()), what, detail])
  const onEvent = (event: DiscoveryEvent) => {
    if (event.type === 'answer') {
      report('answered')
    } else if (event.type === 'failure') {
      report('failed', event.error.code)
    }
    if (event.type === 'answer' ? event.listed : event.type === 'verdicts' && isListed(event)) {
      report('listed')
    } else if (event.type === 'verdicts') {
      report('refused', event.registrations[0]?.code ?? 'none')
    }
  }
  const node = await createLibp2p({
    start: false,
    logger: quietLogger(),
    addresses: { listen: ['/ip4/0.0.0.0/tcp/0'] },
    // The transport hands it on to the socket; its types leave it out.
    transports: [tcp({ dialOpts: { localAddress: ip } as object })],
    connectionEncrypters: [leveredNoise(new Set())],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    peerDiscovery: [bootstrapDiscovery({ bootstraps, onEvent })],
    services: { peers: peerKeeper() },
  })
  const id = node.peerId.toString()
  node.addEventListener('peer:connect', ({ detail }) => report('connected', detail.toString()))
  node.addEventListener('peer:disconnect', ({ detail }) => report('disconnected', detail.toString()))
  report('started')
  await node.start()
}

function isListed({ registrations }: Extract<DiscoveryEvent, { type: 'verdicts' }>): boolean {
  return registrations.some(({ status }) => status === 'listed')
}

function now(): number {
  return performance.timeOrigin + performance.now()
}
