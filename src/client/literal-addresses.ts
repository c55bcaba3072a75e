// Looks up the names in multiaddrs, so that literal IPs are dialed.

import { lookup } from 'node:dns/promises'

/** How long the system may take to look up a name, ms: half of a call, so that the other half is left to dial. */
const LOOKUP_TIMEOUT_MS = 5000
/** The most IPs of one name that are dialled; a call has no time for more. */
const MAX_IPS = 4

/** None of a bootstrap's addresses can be dialled, because their names do not resolve. The message names them. */
export class NameLookupError extends Error {
  override name = 'NameLookupError'
}

/**
 * Resolves to the multiaddrs with literal IPs that these stand for. Names in TCP addresses are looked up as the system does, hosts
 * file included: `/dns4` as IPv4, `/dns6` as IPv6, `/dns` as both. All others stay as they are. Rejects with a
 * {@link NameLookupError} when only names were given and none of them resolves, and with the signal's reason.
 *
 * libp2p could dial a name by itself. But it takes the family that answers first, for `/dns4` too, and its connection
 * then shows the name, while the port to register and the use of a peer's private address depend on the IP.
 */
export async function literalAddresses(multiaddrs: readonly string[], signal: AbortSignal): Promise<string[]> {
  const looked = await Promise.all(multiaddrs.map((each) => literalsOf(each, signal)))
  signal.throwIfAborted()
  const literal = looked.flatMap((each) => (typeof each === 'string' ? [] : each))
  if (literal.length === 0) {
    throw new NameLookupError(looked.filter((each) => typeof each === 'string').join('; '))
  }
  return [...new Set(literal)]
}

const NAMED = /^\/(dns|dns4|dns6)\/([^/]+)(\/tcp\/\d+(?:\/p2p\/[^/]+)?)$/

/** The codes of a look-up that the DNS has answered, but without an address. */
const NO_SUCH: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA'])

/** The addresses, or why there are none. */
async function literalsOf(multiaddr: string, signal: AbortSignal): Promise<string[] | string> {
  const [, protocol, name, rest] = NAMED.exec(multiaddr) ?? []
  if (name === undefined) {
    return [multiaddr]
  }
  const family = protocol === 'dns4' ? 4 : protocol === 'dns6' ? 6 : 0
  try {
    // IPv4 first: libp2p dials one after the other, and IPv6 that is configured but leads nowhere would use up the call.
    const ips = await beforeDeadline(lookup(name, { all: true, family, order: 'ipv4first' }), signal)
    return ips.slice(0, MAX_IPS).map((ip) => `/ip${ip.family}/${ip.address}${rest}`)
  } catch (err) {
    const { code = (err as Error).message } = err as NodeJS.ErrnoException
    const missing = family === 0 ? 'has no address' : `has no IPv${family} address`
    return `the name ${name} ${NO_SUCH.has(code) ? missing : 'could not be looked up'} (${code})`
  }
}

/** Ends the wait for the system's look-up, which takes no signal. */
async function beforeDeadline<Value>(looking: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(LOOKUP_TIMEOUT_MS)])
  const { promise: over, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(new Error(`no answer in ${LOOKUP_TIMEOUT_MS / 1000} s`))
  either.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([looking, over])
  } finally {
    either.removeEventListener('abort', onAbort)
  }
}
