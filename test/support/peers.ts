import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { byteStream } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p, type Libp2pOptions } from 'libp2p'
import { BOOTSTRAP_PROTOCOL } from '../../src/wire/bootstrap-codec.ts'

/** A stock libp2p node that listens on a free port of loopback, as a blockchain node would. */
export async function startPeer(options: Libp2pOptions = {}): Promise<Libp2p> {
  return await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // By default 5 connections a second from one host and 10 half-open: tests have it dialled more than the world would.
    connectionManager: { inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 100 },
    ...options,
  })
}

/** Where a peer listens, without `/p2p`. */
export function addressOf(peer: Libp2p): string {
  return peer
    .getMultiaddrs()[0]!
    .toString()
    .replace(/\/p2p\/.*/, '')
}

/** One exchange on a new stream: writes the text, closes our side, reads to the end. */
export async function exchange(
  peer: Libp2p,
  bootstrap: string | Multiaddr,
  text: string | Uint8Array,
): Promise<string> {
  const signal = AbortSignal.timeout(15_000)
  const to = typeof bootstrap === 'string' ? multiaddr(bootstrap) : bootstrap
  const stream = await peer.dialProtocol(to, BOOTSTRAP_PROTOCOL, { signal })
  if (text.length > 0) {
    stream.send(typeof text === 'string' ? Buffer.from(text) : text)
  }
  await stream.close({ signal })
  const bytes = byteStream(stream)
  let answer = ''
  for (let chunk = await bytes.read({ signal }); chunk !== null; chunk = await bytes.read({ signal })) {
    answer += Buffer.from(chunk.subarray()).toString()
  }
  return answer
}

/** One request, one answer, as values. */
// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
export async function ask(peer: Libp2p, bootstrap: string | Multiaddr, request: unknown): Promise<any> {
  return JSON.parse(await exchange(peer, bootstrap, `${JSON.stringify(request)}\n`))
}
