import { parseAddress } from '../peer/address.ts'
import { scopeOf } from '../peer/ip.ts'
import { MAX_ADDRESSES } from '../peer/limits.ts'
import type { OwnAddresses } from './own-addresses.ts'

/** A family of IP addresses. */
export type Family = 4 | 6

/**
 * Returns which of a node's addresses to register with a bootstrap at these addresses. A bootstrap takes only what is of
 * the family it sees the node in: that of the connection, once there is one, before that any of the bootstrap's own.
 * Those are the node's public addresses. Where it has none that is confirmed, as behind a NAT or in a container, it is each
 * port that the node listens on in that family as "my port, at the IP you see me at", which is written
 * `/ip4/0.0.0.0/tcp/<port>` in either family. A port of an unconfirmed public address comes first: it is listened on there.
 */
export function addressesToRegister(
  { announced, unconfirmed }: OwnAddresses,
  bootstrap: readonly string[],
  family?: Family,
): string[] {
  const families = family === undefined ? familiesOf(bootstrap) : new Set([family])
  const open = new Set<string>()
  const ports = new Set<number>()
  for (const text of unconfirmed) {
    const parsed = parseAddress(text)
    if (typeof parsed !== 'string' && parsed.address !== undefined && families.has(parsed.address.ip.family)) {
      ports.add(parsed.port)
    }
  }
  for (const text of announced) {
    const parsed = parseAddress(text)
    if (typeof parsed === 'string') {
      const [, port] = NAMED.exec(text) ?? []
      if (port !== undefined && [...familiesOf([text])].some((each) => families.has(each))) {
        ports.add(Number(port))
      }
    } else if (parsed.address === undefined) {
      ports.add(parsed.port)
    } else if (families.has(parsed.address.ip.family)) {
      if (scopeOf(parsed.address.ip) === 'public') {
        open.add(parsed.address.text)
      } else {
        ports.add(parsed.port)
      }
    }
  }
  ports.delete(0)
  const chosen = open.size > 0 ? [...open] : [...ports].map((port) => `/ip4/0.0.0.0/tcp/${port}`)
  return chosen.slice(0, MAX_ADDRESSES)
}

/** A name itself is not registered, because a bootstrap resolves none; its port is. */
const NAMED = /^\/dns[46]?\/[^/]+\/tcp\/(\d{1,5})(?:\/p2p\/[^/]+)?$/

/** The families of these addresses: a bootstrap there sees a node in the same. A name without a family may be either. */
export function familiesOf(bootstrap: readonly string[]): Set<Family> {
  return new Set(
    bootstrap.flatMap((text): Family[] =>
      /^\/(ip|dns)4\//.test(text) ? [4] : /^\/(ip|dns)6\//.test(text) ? [6] : [4, 6],
    ),
  )
}
