import { open } from 'node:fs/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { canonicalPeerId } from '../../peer/peer-id.ts'
import type { ResolveTxt } from './dnsaddr.ts'
import { resolveDnsaddr } from './dnsaddr.ts'

/** Where the bootstraps are written down. */
export interface BootstrapSources {
  /**
   * Multiaddrs with `/p2p/<PeerId>`, such as `/ip4/203.0.113.7/tcp/4000/p2p/12D3Koo…`, and `/dnsaddr/<name>`, whose TXT
   * records hold such multiaddrs.
   */
  readonly bootstraps?: readonly string[]
  /** A file with more of them: one a line (`#` begins a comment), or a JSON array of texts or of `{"address": …}`. */
  readonly bootstrapsFile?: string
}

/** The bootstraps of a list by PeerId, with their addresses, and what could not be read of it. */
export interface ResolvedBootstraps {
  readonly found: ReadonlyMap<string, readonly string[]>
  /**
   * The origin that each has its voice from: its own PeerId where an operator wrote that down; else the name that it was
   * found under, `/dnsaddr/<name>`. The DNS is not authenticated, so one false answer must not be many voices.
   */
  readonly origins: ReadonlyMap<string, string>
  readonly faults: readonly string[]
}

/** The most bootstraps of a list; all of them are asked. */
export const MAX_BOOTSTRAPS = 64
const MAX_FILE_BYTES = 256 * 1024

/** Those that need no look-up. Throws a TypeError for what is no address of a bootstrap: better before than at 3 a.m. */
export function staticBootstraps(bootstraps: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const address of bootstraps) {
    const problem = bootstrapProblem(address)
    if (problem !== undefined) {
      throw new TypeError(`${JSON.stringify(address)} is no bootstrap; ${problem}`)
    }
    if (!isDnsaddr(address)) {
      add(found, address)
    }
  }
  return found
}

/** Why a text is no address of a bootstrap, and what to write instead; undefined when it is one. */
export function bootstrapProblem(address: string): string | undefined {
  const shape = isDnsaddr(address) ? DNSADDR : ADDRESS
  if (shape.test(address)) {
    return isMultiaddrText(address)
      ? undefined
      : 'write /ip4/<IPv4>, /ip6/<IPv6> or /dns4/<name>, then /tcp/<port> and the whole PeerId, as the bootstrap shows them when it is ready'
  }
  if (address.trim() !== address && bootstrapProblem(address.trim()) === undefined) {
    return 'write it without the white space around it'
  }
  return ADDRESS.test(`${address}/p2p/x`)
    ? `write the PeerId of the bootstrap behind it: ${address}/p2p/12D3Koo…`
    : `write its multiaddr with its PeerId, such as ${EXAMPLE_BOOTSTRAP}, or /dnsaddr/<name>; it is reached over TCP only`
}

/** Whether the IP, the port and the PeerId make sense: to libp2p, which takes port 0 for one. */
function isMultiaddrText(address: string): boolean {
  try {
    multiaddr(address)
    return isDnsaddr(address) || (peerIdOf(address) !== undefined && !/\/tcp\/0+\//.test(address))
  } catch {
    return false
  }
}

/** How an address of a bootstrap looks. */
export const EXAMPLE_BOOTSTRAP = '/ip4/203.0.113.7/tcp/4000/p2p/12D3Koo…'

/** All of them, looked up anew. Never rejects. */
export async function resolveBootstraps(
  { bootstraps = [], bootstrapsFile }: BootstrapSources,
  resolveTxt: ResolveTxt,
  signal: AbortSignal,
): Promise<ResolvedBootstraps> {
  const faults: string[] = []
  const found = new Map<string, string[]>()
  const origins = new Map<string, string>()
  const listed = bootstrapsFile === undefined ? [] : await readList(bootstrapsFile, faults)
  const all = [...bootstraps, ...listed]
  const names = all.filter(isDnsaddr)
  const resolved = await Promise.allSettled(names.map((name) => resolveDnsaddr(name, resolveTxt, signal)))
  for (const address of all.filter((each) => !isDnsaddr(each))) {
    const id = add(found, address)
    if (id !== undefined) {
      origins.set(id, id)
    } else {
      faults.push(`${JSON.stringify(address.slice(0, 256))} in ${bootstrapsFile} is no address of a bootstrap`)
    }
  }
  for (const [i, result] of resolved.entries()) {
    if (result.status === 'rejected') {
      faults.push(`${names[i]} could not be looked up: ${(result.reason as Error).message}`)
    } else {
      for (const address of result.value) {
        const id = add(found, address)
        if (id !== undefined && !origins.has(id)) {
          origins.set(id, peerIdOf(names[i]!) ?? names[i]!)
        }
      }
    }
  }
  return { found, origins, faults }
}

/** Whether a list has anything that may change while the node runs. */
export function isDynamic({ bootstraps = [], bootstrapsFile }: BootstrapSources): boolean {
  return bootstrapsFile !== undefined || bootstraps.some(isDnsaddr)
}

/** The PeerId at the end of a multiaddr, base58btc; undefined when there is none. */
export function peerIdOf(address: string): string | undefined {
  const [, text] = /\/p2p\/([^/]+)$/.exec(address) ?? []
  return text === undefined ? undefined : canonicalPeerId(text)
}

function isDnsaddr(address: string): boolean {
  return address.startsWith('/dnsaddr/')
}

/** Returns the PeerId; undefined when it is no address of a bootstrap. One too many is passed over. */
function add(found: Map<string, string[]>, address: string): string | undefined {
  const id = ADDRESS.test(address) && isMultiaddrText(address) ? peerIdOf(address) : undefined
  if (id === undefined) {
    return undefined
  }
  const known = found.get(id)
  if (known === undefined) {
    if (found.size < MAX_BOOTSTRAPS) {
      found.set(id, [address])
    }
  } else if (!known.includes(address) && known.length < MAX_ADDRESSES) {
    known.push(address)
  }
  return id
}

const MAX_ADDRESSES = 8
/** Names are an operator's to give, so they are taken from a configuration; never from an answer. */
const DNSADDR = /^\/dnsaddr\/[^/\s]{1,253}(\/p2p\/[^/\s]{1,128})?$/
const ADDRESS = /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]{1,253}\/tcp\/\d{1,5}\/p2p\/[^/\s]{1,128}$/

async function readList(path: string, faults: string[]): Promise<string[]> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      if (size > MAX_FILE_BYTES) {
        throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`)
      }
      return parseList(await file.readFile('utf8'))
    } finally {
      await file.close()
    }
  } catch (err) {
    faults.push(`the list of bootstraps ${path} can't be read: ${(err as Error).message}`)
    return []
  }
}

function parseList(text: string): string[] {
  if (text.trimStart().startsWith('[')) {
    const items: unknown[] = JSON.parse(text)
    return items.flatMap((item) => {
      const address = typeof item === 'object' && item !== null && 'address' in item ? item.address : item
      return typeof address === 'string' ? [address] : []
    })
  }
  return text.split('\n').flatMap((line) => line.replace(/#.*/, '').trim() || [])
}
