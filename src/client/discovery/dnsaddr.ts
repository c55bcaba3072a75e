// Looks up `/dnsaddr` names.

import { Resolver } from 'node:dns/promises'
import { canonicalPeerId } from '../../peer/peer-id.ts'

/** The TXT records of a name, each joined to one text. */
export type ResolveTxt = (name: string, signal: AbortSignal) => Promise<readonly string[]>

/** How many names may refer to each other, as the libp2p specification of dnsaddr leaves to us; js-libp2p has 32. */
const MAX_DEPTH = 3
const MAX_RECORDS = 64
/** How long one look-up may take, ms, with two tries. */
const LOOKUP_MS = 2500

/**
 * The multiaddrs that `/dnsaddr/<name>` stands for: the TXT records `dnsaddr=<multiaddr>` of `_dnsaddr.<name>`, names in
 * them looked up in turn. With `/p2p/<PeerId>` behind it only those of that peer. Rejects when there are none.
 * https://github.com/multiformats/multiaddr/blob/master/protocols/DNSADDR.md
 */
export async function resolveDnsaddr(address: string, resolve: ResolveTxt, signal: AbortSignal): Promise<string[]> {
  const found: string[] = []
  await collect(address, resolve, signal, MAX_DEPTH, found)
  if (found.length === 0) {
    throw new Error('it has no record dnsaddr=<multiaddr>')
  }
  return found
}

async function collect(
  address: string,
  resolve: ResolveTxt,
  signal: AbortSignal,
  depth: number,
  found: string[],
): Promise<void> {
  const [, , name = '', p2p, peerId] = address.split('/')
  const only = p2p === 'p2p' && peerId !== undefined ? canonicalPeerId(peerId) : undefined
  const records = await resolve(`_dnsaddr.${name}`, signal)
  for (const record of records.slice(0, MAX_RECORDS)) {
    const target = record.startsWith('dnsaddr=/') ? record.slice('dnsaddr='.length).trim() : undefined
    if (target === undefined || found.length >= MAX_RECORDS || !fits(target, only)) {
      continue
    }
    if (!target.startsWith('/dnsaddr/')) {
      found.push(target)
    } else if (depth > 1) {
      // One dead branch is no reason to do without the others.
      await collect(target, resolve, signal, depth - 1, found).catch(() => {})
    }
  }
}

function fits(target: string, only: string | undefined): boolean {
  const [, id] = /\/p2p\/([^/]+)$/.exec(target) ?? []
  return only === undefined || (id !== undefined && canonicalPeerId(id) === only)
}

/** As the system's resolver says. */
export const systemResolveTxt: ResolveTxt = async (name, signal) => {
  const resolver = new Resolver({ timeout: LOOKUP_MS, tries: 2 })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    signal.throwIfAborted()
    return (await resolver.resolveTxt(name)).map((chunks) => chunks.join(''))
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
