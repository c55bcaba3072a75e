// What every figure is measured against: a stock libp2p node that answers a constant. No settings of ours, no services
// (with --identify: the stock identify), no limits, no list, no disk. argv: <bytes of the answer> [--identify]
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { byteStream } from '@libp2p/utils'
import { createLibp2p } from 'libp2p'
import { reportToParent } from './report.ts'

const answer = Buffer.alloc(Number(process.argv[2]), '.')
const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  // The defaults refuse a sixth connection a second from one machine, and a bench has one machine.
  connectionManager: { inboundConnectionThreshold: Infinity, maxIncomingPendingConnections: 512 },
  ...(process.argv.includes('--identify') ? { services: { identify: identify() } } : {}),
})
await node.handle('/bootstrap/1.0.0', async (stream) => {
  const bytes = byteStream(stream)
  while ((await bytes.read()) !== null) {}
  await bytes.write(answer)
  await stream.close()
})
reportToParent(node.getMultiaddrs()[0]!.toString())
