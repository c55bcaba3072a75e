import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p, type Libp2pOptions } from 'libp2p'
import { loadIdentity } from '../identity/key-file.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/**
 * Returns a started libp2p node with stock options, as a blockchain node would be, with the key and on the port that
 * the options name. Its PeerId is none of `bootstraps`.
 */
export async function startClientNode(
  options: ReadonlyMap<string, string>,
  bootstraps: Iterable<string>,
  more: Pick<Libp2pOptions, 'peerDiscovery' | 'logger'> & { readonly services?: Libp2pOptions['services'] } = {},
): Promise<Libp2p> {
  const port = wholeNumber(options, 'port', { min: 0, max: 65_535 }) ?? 0
  const key = options.get('key')
  const privateKey = key === undefined ? undefined : await loadIdentity(key)
  if (privateKey !== undefined && new Set(bootstraps).has(peerIdFromPrivateKey(privateKey).toString())) {
    throw new CommandError(EXIT.usage, `--key ${key} is the key of the bootstrap itself; leave it out, or name another`)
  }
  const node = await createLibp2p({
    ...more,
    ...(privateKey === undefined ? {} : { privateKey }),
    start: false,
    addresses: { listen: [`/ip4/0.0.0.0/tcp/${port}`, `/ip6/::/tcp/${port}`] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    // libp2p's 5 a second from one host would refuse dial-backs for several networks, and other nodes of the same
    // machine.
    connectionManager: { inboundConnectionThreshold: 100, maxIncomingPendingConnections: 100 },
    streamMuxers: [yamux()],
    services: { identify: identify(), ping: ping(), ...more.services },
  })
  try {
    await node.start()
  } catch (error) {
    await node.stop()
    throw portTaken(error) ? new CommandError(EXIT.listen, taken(port), { cause: error }) : error
  }
  return node
}

function portTaken(error: unknown): boolean {
  return error instanceof Error && /EADDRINUSE|EACCES/.test(error.message)
}

function taken(port: number): string {
  return `can't listen on port ${port}: another process has it, or this user may not; leave --port out for one that is free`
}

/** The value of an option that is a count. */
export function wholeNumber(
  options: ReadonlyMap<string, string>,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const typed = options.get(name)
  if (typed === undefined) {
    return undefined
  }
  const value = /^\d{1,9}$/.test(typed) ? Number(typed) : Number.NaN
  if (!(value >= min && value <= max)) {
    throw new CommandError(EXIT.usage, `--${name} ${typed} is not a whole number from ${min} to ${max}`)
  }
  return value
}
