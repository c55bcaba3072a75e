import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, PrivateKey } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { byteStream } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'

const PROTOCOL = '/bootstrap/1.0.0'
/** A call that takes longer has failed, ms. */
export const CALL_TIMEOUT_MS = 20_000

/** A stock libp2p node that listens, so that it can be dialled back. */
export interface Client {
  readonly node: Libp2p
  readonly privateKey: PrivateKey
  /** Where it listens, without `/p2p`. */
  readonly address: string
}

/** Clients with an identity each, that work side by side. */
export class Crowd implements AsyncDisposable {
  readonly clients: readonly Client[]

  private constructor(clients: readonly Client[]) {
    this.clients = clients
  }

  static async start(count: number, { withIdentify = false } = {}): Promise<Crowd> {
    return new Crowd(await Promise.all(Array.from({ length: count }, () => startClient(withIdentify))))
  }

  get size(): number {
    return this.clients.length
  }

  /** Runs `task` `times` times on each client, all clients side by side. */
  async each(times: number, task: (client: Client, time: number) => Promise<unknown>): Promise<void> {
    await Promise.all(
      this.clients.map(async (client) => {
        for (let time = 0; time < times; time++) {
          await task(client, time)
        }
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map(({ node }) => node.stop()))
  }
}

async function startClient(withIdentify: boolean): Promise<Client> {
  const privateKey = await generateKeyPair('Ed25519')
  const node = await createLibp2p({
    privateKey,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    connectionManager: { inboundConnectionThreshold: Number.POSITIVE_INFINITY },
    ...(withIdentify ? { services: { identify: identify() } } : {}),
  })
  const [listening] = node.getMultiaddrs()
  return { node, privateKey, address: String(listening).replace(/\/p2p\/.*/, '') }
}

/** One request on a stream of its own. Returns the bytes of the answer. */
export async function request({ node }: Client, server: Multiaddr, message: object): Promise<Buffer> {
  const signal = AbortSignal.timeout(CALL_TIMEOUT_MS)
  const stream = await node.dialProtocol(server, PROTOCOL, { signal })
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
export async function join(client: Client, server: Multiaddr, message: object): Promise<Buffer> {
  return await visit(client, () => request(client, server, message))
}

/** Dial, handshake, hang up. */
export async function handshake(client: Client, server: Multiaddr): Promise<void> {
  await visit(client, () => client.node.dial(server, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) }))
}

/** Hangs up afterwards, whatever came of it. */
export async function visit<T>({ node }: Client, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } finally {
    await Promise.all(node.getConnections().map(hangUp))
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
