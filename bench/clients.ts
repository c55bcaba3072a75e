import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { byteStream } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'

const PROTOCOL = '/bootstrap/1.0.0'

/** Stock libp2p nodes with an identity each, that listen, so that they can be dialled back. */
export async function startClients(count: number, withIdentify = false): Promise<Libp2p[]> {
  return await Promise.all(
    Array.from({ length: count }, () =>
      createLibp2p({
        addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        connectionMonitor: { enabled: false },
        connectionManager: { inboundConnectionThreshold: Number.POSITIVE_INFINITY },
        ...(withIdentify ? { services: { identify: identify() } } : {}),
      }),
    ),
  )
}

export function addressOf(client: Libp2p): string {
  return client
    .getMultiaddrs()[0]!
    .toString()
    .replace(/\/p2p\/.*/, '')
}

/** One request on a stream of its own. Returns the bytes of the answer. */
export async function request(client: Libp2p, server: Multiaddr, message: object): Promise<Buffer> {
  const signal = AbortSignal.timeout(20_000)
  const stream = await client.dialProtocol(server, PROTOCOL, { signal })
  stream.send(Buffer.from(`${JSON.stringify(message)}\n`))
  await stream.close({ signal })
  const bytes = byteStream(stream)
  const chunks: Uint8Array[] = []
  for (let chunk = await bytes.read({ signal }); chunk !== null; chunk = await bytes.read({ signal })) {
    chunks.push(chunk.subarray())
  }
  const answer = Buffer.concat(chunks)
  if (answer.length === 0 || answer.subarray(0, 9).toString() === '{"error":') {
    throw new Error(`the server answered ${answer}`)
  }
  return answer
}

/** Dial, handshake, one request, hang up. */
export async function join(client: Libp2p, server: Multiaddr, message: object): Promise<Buffer> {
  try {
    return await request(client, server, message)
  } finally {
    await Promise.all(client.getConnections().map(hangUp))
  }
}

/** Now and then the goodbye to a stock node hangs (libp2p 3.3.11); nobody is to wait for it. */
async function hangUp(connection: Connection): Promise<void> {
  try {
    await connection.close({ signal: AbortSignal.timeout(1000) })
  } catch (err) {
    connection.abort(err as Error)
  }
}

/** Runs `task` `times` times on each client, all clients side by side. */
export async function onEach(clients: readonly Libp2p[], times: number, task: (client: Libp2p) => Promise<unknown>) {
  await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < times; i++) {
        await task(client)
      }
    }),
  )
}
