import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { PrivateKey } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { bootstrapDiscovery, type PeerKeeper, peerKeeper } from '../../src/client/index.ts'

export interface ReadmeNodeInit {
  readonly bootstraps: readonly string[]
  /** The file that remembers peers. Default: none, as where nothing is set. */
  readonly cache?: string
  /** Default: a new one. */
  readonly privateKey?: PrivateKey
  /** On 127.0.0.1. Default: one that is free. */
  readonly port?: number
  /** Whether others are told of it. Default: yes. */
  readonly register?: boolean
}

export type ReadmeNode = Libp2p<{ peers: PeerKeeper }>

/**
 * The README's three lines in the least that libp2p needs to dial and to be dialled on loopback, with every default of
 * libp2p's and of ours. No other test helper's settings: what is promised to users holds with the defaults.
 */
export async function startReadmeNode({
  bootstraps,
  cache,
  privateKey,
  port = 0,
  register = true,
}: ReadmeNodeInit): Promise<ReadmeNode> {
  return await createLibp2p({
    ...(privateKey === undefined ? {} : { privateKey }),
    addresses: { listen: [`/ip4/127.0.0.1/tcp/${port}`] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    peerDiscovery: [bootstrapDiscovery({ bootstraps, register, ...(cache === undefined ? {} : { cache }) })],
    services: { peers: peerKeeper() },
  })
}
