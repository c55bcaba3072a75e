import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import type { Libp2pOptions } from 'libp2p'

export interface HostInit {
  /** The most connections at a time. Default {@link MAX_CONNECTIONS}. */
  readonly maxConnections?: number
}

/** About 100 KB each; beyond, libp2p's own bookkeeping on each accept grows with the square of their number. */
export const MAX_CONNECTIONS = 4000

/** How a node that meets strangers is set up: every knob of libp2p that we turn, in one place. */
export function hostOptions({ maxConnections = MAX_CONNECTIONS }: HostInit = {}) {
  return {
    transports: [
      tcp({
        // A socket that says nothing is gone before it costs a place for long; the default is 2 minutes.
        inboundSocketInactivityTimeout: 20_000,
      }),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        // The default keep-alive makes every idle connection look alive.
        enableKeepAlive: false,
        maxInboundStreams: 32,
        maxOutboundStreams: 8,
        // The default grows to 16 MiB a stream.
        streamOptions: { maxStreamWindowSize: 256 * 1024, initialStreamWindowSize: 256 * 1024 },
      }),
    ],
    connectionMonitor: {
      // Pings all connections at once each 10 s, for nobody's good here.
      enabled: false,
    },
    connectionManager: {
      maxConnections,
      // By default 5 a second from one host, and 10 half-open in all: ten silent sockets shut the door.
      inboundConnectionThreshold: 100,
      maxIncomingPendingConnections: 512,
      inboundUpgradeTimeout: 5000,
    },
    services: {
      identify: identify({ runOnConnectionOpen: false }),
      ping: ping(),
    },
  } satisfies Libp2pOptions
}
