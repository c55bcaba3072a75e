import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p, type Libp2pOptions } from 'libp2p'
import { type BootstrapSources, resolveBootstraps, staticBootstraps } from '../client/bootstrap-list.ts'
import { systemResolveTxt } from '../client/dnsaddr.ts'
import { loadIdentity } from '../identity.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/** How long looking up names may take, ms. */
const LOOKUP_TIMEOUT_MS = 10_000

/** A stock libp2p node as a blockchain node is one: with the key and on the port that the options name. Started. */
export async function startClientNode(
  options: ReadonlyMap<string, string>,
  more: Pick<Libp2pOptions, 'peerDiscovery'> & { readonly services?: Libp2pOptions['services'] } = {},
): Promise<Libp2p> {
  const port = wholeNumber(options, 'port', { min: 0, max: 65_535 }) ?? 0
  const key = options.get('key')
  const node = await createLibp2p({
    ...more,
    ...(key === undefined ? {} : { privateKey: await loadIdentity(key) }),
    start: false,
    addresses: { listen: [`/ip4/0.0.0.0/tcp/${port}`, `/ip6/::/tcp/${port}`] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
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

/** The bootstraps that were typed, by PeerId. */
export async function typedBootstraps(operands: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const sources: BootstrapSources = { bootstraps: operands }
  try {
    staticBootstraps(operands)
  } catch (error) {
    throw new CommandError(EXIT.usage, (error as Error).message)
  }
  const { found, faults } = await resolveBootstraps(sources, systemResolveTxt, AbortSignal.timeout(LOOKUP_TIMEOUT_MS))
  if (found.size === 0) {
    throw new CommandError(EXIT.bootstrap, `no bootstrap is known: ${faults.join('; ')}`)
  }
  return found
}

/** The value of an option that counts. */
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
