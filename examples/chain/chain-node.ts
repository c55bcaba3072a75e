import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { type GossipSub, type GossipsubOpts, gossipsub } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { PeerId } from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import {
  type BootstrapDiscoveryInit,
  bootstrapDiscovery,
  type PeerKeeper,
  type PeerKeeperInit,
  peerKeeper,
} from '../../src/client/index.ts'
import { type Block, decodeBlock, encodeBlock } from './block.ts'
import { fetchBlocks, SYNC_PROTOCOL, serveBlocks } from './block-sync.ts'
import { Chain } from './chain.ts'

export const TOPIC = 'example-chain/blocks/1'

export interface ChainNodeInit {
  readonly discovery: BootstrapDiscoveryInit
  readonly keeper?: PeerKeeperInit
  readonly gossip?: Partial<GossipsubOpts>
  /** Multiaddr to listen on. Default: any port of loopback. */
  readonly listen?: string
  readonly onBlock?: (block: Block) => void
}

export type ChainLibp2p = Libp2p<{ identify: Identify; ping: Ping; pubsub: GossipSub; peers: PeerKeeper }>

/** A node of the chain. It finds all of its peers through its bootstraps. */
export class ChainNode {
  readonly chain = new Chain()
  readonly libp2p: ChainLibp2p
  readonly #onBlock: (block: Block) => void
  /** Peers that have more blocks than this node, asked one after the other. */
  #fetching: Promise<unknown> = Promise.resolve()

  static async start({
    discovery,
    keeper,
    gossip,
    listen = '/ip4/127.0.0.1/tcp/0',
    onBlock,
  }: ChainNodeInit): Promise<ChainNode> {
    const libp2p = await createLibp2p({
      start: false,
      addresses: { listen: [listen] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      peerDiscovery: [bootstrapDiscovery(discovery)],
      services: { identify: identify(), ping: ping(), pubsub: gossipsub(gossip), peers: peerKeeper(keeper) },
    })
    const node = new ChainNode(libp2p as ChainLibp2p, onBlock ?? (() => {}))
    await node.#begin()
    return node
  }

  constructor(libp2p: ChainLibp2p, onBlock: (block: Block) => void) {
    this.libp2p = libp2p
    this.#onBlock = onBlock
  }

  /** Makes the next block and publishes it. */
  async produce(payload: string): Promise<Block> {
    const block = this.chain.next(payload)
    this.#take(block)
    await this.libp2p.services.pubsub.publish(TOPIC, encodeBlock(block)).catch(() => {
      // There is no peer yet: one that connects later fetches the block.
    })
    return block
  }

  async stop(): Promise<void> {
    await this.libp2p.stop()
  }

  async #begin(): Promise<void> {
    const { pubsub } = this.libp2p.services
    await serveBlocks(this.libp2p, this.chain)
    // libp2p calls this for each peer that speaks the protocol, once it has said so.
    await this.libp2p.register(SYNC_PROTOCOL, { onConnect: (peer) => this.#fetch(peer) })
    pubsub.addEventListener('gossipsub:message', ({ detail }) => {
      const block = detail.msg.topic === TOPIC ? decodeBlock(detail.msg.data) : undefined
      if (block === undefined || this.#take(block) || block.height <= this.chain.height) {
        return
      }
      // It is above our next one: the peer that passed it on has the blocks between.
      this.#fetch(detail.propagationSource)
    })
    await this.libp2p.start()
    pubsub.subscribe(TOPIC)
  }

  #take(block: Block): boolean {
    const taken = this.chain.append(block)
    if (taken) {
      this.#onBlock(block)
    }
    return taken
  }

  #fetch(peer: PeerId): void {
    this.#fetching = this.#fetching
      .then(() => fetchBlocks(this.libp2p, peer, this.chain, this.#onBlock))
      .catch((err) => this.libp2p.logger.forComponent('example-chain').error('could not fetch from %p - %e', peer, err))
  }
}
