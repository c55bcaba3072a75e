// The options of libp2p for a public node, each with its reason.

import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import type { ConnectionGater, PeerId } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import type { Libp2pOptions } from 'libp2p'
import { MAX_FRAME_BYTES } from './guard/frame-inspector.ts'
import { Guard } from './guard/guard.ts'
import { GuardService, type GuardServiceComponents } from './guard/guard-service.ts'
import { IDLE_MS } from './guard/quiet-connections.ts'
import type { HostSettings } from './host-init.ts'
import { joinWritesOf } from './patches/joined-writes.ts'
import { lightenPeerStore } from './patches/light-peer-store.ts'
import { patchedNoise } from './patches/patched-noise.ts'

/** Sockets that have not finished their handshake. A crowd of peers that start at once has hundreds. */
export const MAX_HALF_OPEN = 1024
/** Of one public IPv4 address or IPv6 /64, of a /56, and of a /24 or /48: go-libp2p's conn_limiter.go has 8, 8 and 64. */
export const MAX_PER_IP = 8
export const MAX_PER_SITE = 16
export const MAX_PER_SUBNET = 64

/**
 * Returns the options of a public node: every option of libp2p that differs from its default, in one place, and the guard
 * for what no option covers. For one `createLibp2p`: they share the state of the guard, so call it for each node.
 */
export function hostOptions({ maxConnections, deny, disabled }: HostSettings) {
  const off = new Set(disabled.optimizations)
  const guard = new Guard({
    limits: {
      open: maxConnections,
      halfOpen: MAX_HALF_OPEN,
      perIp: MAX_PER_IP,
      perSite: MAX_PER_SITE,
      perSubnet: MAX_PER_SUBNET,
    },
    deny,
    disabled: disabled.protections,
  })
  let isTaken = false
  return {
    connectionGater: off.has('joinedWrites') ? guard.connectionGater : joiningWrites(guard.connectionGater),
    transports: [
      tcp({
        // A second limit below the guard, in the kernel's accept: none by default. Room for both tables, and sockets that close.
        maxConnections: maxConnections + 2 * MAX_HALF_OPEN,
        // 511 by default. A crowd waits here while the node is busy; a peer that finds no room tries again after a second.
        // The kernel may have less (net.core.somaxconn, 4096 on Linux).
        backlog: 2 * MAX_HALF_OPEN,
        // 2 minutes by default, less than the guard lets an idle connection live: for sockets whose other end has vanished.
        inboundSocketInactivityTimeout: 2 * IDLE_MS,
      }),
    ],
    connectionEncrypters: [guard.encrypter(patchedNoise(off))],
    streamMuxers: [
      guard.muxer(
        yamux({
          // Pings every 30 s by default and only logs a failure; each idle connection would look alive to TCP.
          enableKeepAlive: false,
          // 1000 by default. The bootstrap protocol takes 8 at a time, identify 1, ping 2; rust opens some ahead.
          maxInboundStreams: 32,
          // 1000 by default. The node opens streams only for identify and its push.
          maxOutboundStreams: 8,
          streamOptions: {
            // The least that yamux takes. A whole stream of requests is half of it.
            initialStreamWindowSize: MAX_FRAME_BYTES,
            // 16 MiB by default: the window doubles while we read fast, but the guard refuses longer frames.
            maxStreamWindowSize: MAX_FRAME_BYTES,
            // 4 MiB by default. A stream whose data is not read is reset; byteStream reads it at once.
            maxReadBufferLength: 2 * MAX_FRAME_BYTES,
            // No limit by default. An answer is at most half of it.
            maxWriteBufferLength: 1024 * 1024,
          },
        }),
      ),
    ],
    connectionMonitor: {
      // Pings all connections at once each 10 s and aborts on a failure, which helps no peer here. Lodestar has it off.
      enabled: false,
    },
    connectionManager: {
      // 300 by default. libp2p refuses newcomers when it is full and the guard makes room, so the guard counts.
      maxConnections,
      // Every peer passes here because the guard decides right after. Without it libp2p lists all connections in
      // quadratic time for each socket (9 ms at 2000), keeps a timer for each IP, and 10 silent sockets block newcomers.
      allow: ['/ip4/0.0.0.0/ipcidr/0', '/ip6/::/ipcidr/0'],
      // 10 s by default. Silent sockets go after 3 s (the guard); this is for those that send byte by byte, on a busy machine.
      inboundUpgradeTimeout: 8000,
      // 10 s each by default. A stream has a round trip or two to name its protocol.
      inboundStreamProtocolNegotiationTimeout: 3000,
      outboundStreamProtocolNegotiationTimeout: 3000,
      // 10 s and 6 s by default. The node dials only to verify an address, and that has its own deadline.
      dialTimeout: 5000,
      addressDialTimeout: 5000,
      // 100, 500 and 25 by default: the address book of a remote peer is no reason for 25 dials.
      maxParallelDials: 16,
      maxDialQueueLength: 64,
      maxPeerAddrsToDial: 4,
      // By default it resolves /dnsaddr, and what that names, 32 deep.
      resolvers: {},
    },
    peerStore: {
      // 1 h and 6 h by default, and checked only when all peers are listed. The guard forgets those that left.
      maxAddressAge: 600_000,
      maxPeerAge: 600_000,
    },
    services: {
      guard: (components: GuardServiceComponents & { peerId: PeerId }) => {
        if (isTaken) {
          throw new Error('these options are those of another node already; call withHost for each node')
        }
        isTaken = true
        if (!off.has('lightPeerStore')) {
          lightenPeerStore(components.peerStore, components.peerId)
        }
        return new GuardService(components, guard)
      },
    },
  } satisfies Libp2pOptions
}

/** What services of other nodes need, and a node that is only a bootstrap does without. */
export const bootstrapOnly = {
  connectionManager: {
    // 5 by default, for peers tagged KEEP_ALIVE. There are none; at 0 the guard stops the queue.
    reconnectRetries: 0,
  },
  services: {
    // By default it asks every peer that connects, for 1 ms of CPU a join; services such as gossipsub wait for the answers.
    identify: identify({ runOnConnectionOpen: false }),
  },
} satisfies Libp2pOptions

function joiningWrites(gater: ConnectionGater): ConnectionGater {
  return {
    ...gater,
    denyInboundConnection: (connection) => {
      joinWritesOf(connection)
      return gater.denyInboundConnection?.(connection) ?? false
    },
  }
}
