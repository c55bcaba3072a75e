import assert from 'node:assert/strict'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { byteStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { startLines } from './process.ts'
import type { Command } from './toolchains.ts'

/** A process that starts, on a machine that does other things. Python makes an RSA key first. */
const START_TIMEOUT_MS = 60_000
/** The clients give an exchange and a dial 15 s each. */
const COMMAND_TIMEOUT_MS = 45_000

export type KeyType = 'ed25519' | 'secp256k1' | 'rsa' | 'ecdsa'

/** A peer of the node, registered, in whatever language. */
export interface Peer {
  readonly peerId: string
  /** Where it listens, without `/p2p`. */
  readonly address: string
  /** What its registration was answered with. */
  readonly answer: readonly { readonly address: string }[]
  /** Sends any request. */
  // biome-ignore lint/suspicious/noExplicitAny: the cells say what they expect of it
  ask(request: object): Promise<any>
  /** Looks a peer up in the list of its network, dials it, pings it and hangs up. Rejects when one of these fails. */
  find(peerId: string): Promise<void>
  stop(): Promise<void>
}

export interface PeerInit {
  /** Of the node, with `/p2p`. */
  readonly bootstrap: string
  readonly network: string
  /** As the client has it: Rust's RSA is `rsa:<file>`. Default: ed25519. */
  readonly key?: string
}

/** What a client says went wrong: it ran, and its libp2p failed. */
export class PeerError extends Error {}

/** Starts a client of `interop/<language>`; gone with `scope` at the latest. */
export async function startClient(scope: AsyncDisposableStack, command: Command, init: PeerInit): Promise<Peer> {
  const { bootstrap, network, key = 'ed25519' } = init
  const [program, ...args] = command
  const client = startLines(program, [...args, '--bootstrap', bootstrap, '--network', network, '--key', key])
  const stop = async () => void (await client.end())
  scope.defer(stop)
  let at = 0
  async function next(timeout: number) {
    const result = JSON.parse(await client.line(at++, timeout))
    if (result.error !== undefined) {
      throw new PeerError(result.error)
    }
    return result
  }
  const { peerId, address, answer } = await next(START_TIMEOUT_MS)
  return {
    peerId,
    address,
    answer,
    async ask(request) {
      client.tell(`ask ${JSON.stringify(request)}`)
      return (await next(COMMAND_TIMEOUT_MS)).answer
    },
    async find(wanted) {
      client.tell(`find ${wanted}`)
      const { address: found, rtt } = await next(COMMAND_TIMEOUT_MS)
      // Python's is in whole milliseconds: 0 on loopback.
      assert.ok(found.endsWith(`/p2p/${wanted}`) && rtt >= 0, `found at ${found}, pinged in ${rtt} s`)
    },
    stop,
  }
}

/** The same in this process, on js-libp2p. */
export async function startJsPeer(scope: AsyncDisposableStack, init: PeerInit): Promise<Peer> {
  const { bootstrap, network, key = 'ed25519' } = init
  const libp2p = await createLibp2p({
    privateKey: await newKey(key),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), ping: ping() },
  })
  const stop = async () => libp2p.stop()
  scope.defer(stop)
  const peerId = libp2p.peerId.toString()
  const address = libp2p.getMultiaddrs()[0]!.decapsulate('/p2p').toString()

  async function ask(request: object) {
    const signal = AbortSignal.timeout(COMMAND_TIMEOUT_MS)
    const stream = await libp2p.dialProtocol(multiaddr(bootstrap), '/bootstrap/1.0.0', { signal })
    stream.send(Buffer.from(`${JSON.stringify(request)}\n`))
    await stream.close({ signal })
    const bytes = byteStream(stream)
    const parts: Uint8Array[] = []
    for (let part = await bytes.read({ signal }); part !== null; part = await bytes.read({ signal })) {
      parts.push(part.subarray())
    }
    return JSON.parse(Buffer.concat(parts).toString())
  }

  return {
    peerId,
    address,
    answer: await ask({ address, network }),
    ask,
    async find(wanted) {
      const list: Peer['answer'] = await ask({ network })
      const found = list.find((record) => record.address.endsWith(`/p2p/${wanted}`))
      assert.ok(found, `${wanted} is not on the list of ${list.length}`)
      const signal = AbortSignal.timeout(COMMAND_TIMEOUT_MS)
      const connection = await libp2p.dial(multiaddr(found.address), { signal, force: true })
      await libp2p.services.ping.ping(connection.remotePeer, { signal })
      await connection.close({ signal })
    },
    stop,
  }
}

async function newKey(key: string) {
  switch (key) {
    case 'ed25519':
      return await generateKeyPair('Ed25519')
    case 'secp256k1':
      return await generateKeyPair('secp256k1')
    case 'rsa':
      return await generateKeyPair('RSA', 2048)
    default:
      throw new Error(`no key type ${key}`)
  }
}
