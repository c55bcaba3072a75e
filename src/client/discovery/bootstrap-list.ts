// The configured bootstraps: from the options, a file, or a name in the DNS.

import { open } from 'node:fs/promises'
import { bootstrapProblem, isDnsaddr, peerIdOf } from '../bootstrap-address.ts'
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

/** All of them, looked up anew. Never rejects. */
export async function resolveBootstraps(
  { bootstraps = [], bootstrapsFile }: BootstrapSources,
  resolveTxt: ResolveTxt,
  signal: AbortSignal,
): Promise<ResolvedBootstraps> {
  const faults: string[] = []
  const found = new Map<string, string[]>()
  const listed = bootstrapsFile === undefined ? [] : await readList(bootstrapsFile, faults)
  const all = [...bootstraps, ...listed]
  const names = all.filter(isDnsaddr)
  const resolved = await Promise.allSettled(names.map((name) => resolveDnsaddr(name, resolveTxt, signal)))
  for (const address of all.filter((each) => !isDnsaddr(each))) {
    if (!add(found, address)) {
      faults.push(`${JSON.stringify(address.slice(0, 256))} in ${bootstrapsFile} is no address of a bootstrap`)
    }
  }
  for (const [i, result] of resolved.entries()) {
    if (result.status === 'rejected') {
      faults.push(`${names[i]} could not be looked up: ${(result.reason as Error).message}`)
    } else {
      for (const address of result.value) {
        add(found, address)
      }
    }
  }
  return { found, faults }
}

/** Whether a list has anything that may change while the node runs. */
export function isDynamic({ bootstraps = [], bootstrapsFile }: BootstrapSources): boolean {
  return bootstrapsFile !== undefined || bootstraps.some(isDnsaddr)
}

/** False when it is no address of a bootstrap; one too many is passed over. */
function add(found: Map<string, string[]>, address: string): boolean {
  const id = isDnsaddr(address) || bootstrapProblem(address) !== undefined ? undefined : peerIdOf(address)
  if (id === undefined) {
    return false
  }
  const known = found.get(id)
  if (known === undefined) {
    if (found.size < MAX_BOOTSTRAPS) {
      found.set(id, [address])
    }
  } else if (!known.includes(address) && known.length < MAX_ADDRESSES) {
    known.push(address)
  }
  return true
}

const MAX_ADDRESSES = 8

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
