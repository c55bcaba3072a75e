import type { PeerId, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import type { Libp2p } from 'libp2p'
import { type Block, decodeBlock, encodeBlock } from './block.ts'
import type { Chain } from './chain.ts'

/** One request, the height one has, as text; then the blocks above it, each length-prefixed, to the half-close. */
export const SYNC_PROTOCOL = '/example-chain/sync/1.0.0'
const MAX_BLOCKS = 1000
const TIMEOUT_MS = 10_000

/** Serves the chain to each peer that asks. */
export async function serveBlocks(node: Libp2p, chain: Chain): Promise<void> {
  await node.handle(SYNC_PROTOCOL, async (stream: Stream) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const framed = lpStream(stream, { maxDataLength: 16 })
    const height = Number(Buffer.from((await framed.read({ signal })).subarray()).toString())
    for (const block of chain.above(height, MAX_BLOCKS)) {
      await framed.write(encodeBlock(block), { signal })
    }
    await stream.close({ signal })
  })
}

/** Fetches what a peer has more than we. Resolves to the number of blocks that were new and good. */
export async function fetchBlocks(
  node: Libp2p,
  peer: PeerId,
  chain: Chain,
  onBlock: (block: Block) => void,
): Promise<number> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const stream = await node.dialProtocol(peer, SYNC_PROTOCOL, { signal })
  const framed = lpStream(stream, { maxDataLength: 4096 })
  await framed.write(Buffer.from(String(chain.height)), { signal })
  await stream.close({ signal })
  for (let taken = 0; taken < MAX_BLOCKS; taken++) {
    let block: Block | undefined
    try {
      block = decodeBlock((await framed.read({ signal })).subarray())
    } catch (err) {
      if (err instanceof Error && err.name === 'UnexpectedEOFError') {
        return taken
      }
      throw err
    }
    if (block === undefined || !chain.append(block)) {
      stream.abort(new Error('no block of our chain'))
      return taken
    }
    onBlock(block)
  }
  return MAX_BLOCKS
}
