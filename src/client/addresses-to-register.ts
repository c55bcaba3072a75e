// Which of this node's addresses it registers with a bootstrap.

import { parseAddress } from '../peer/address.ts'
import { scopeOf } from '../peer/ip.ts'
import { MAX_ADDRESSES } from '../peer/limits.ts'
import type { OwnAddresses } from './own-addresses.ts'

/** A family of IP addresses. */
export type Family = 4 | 6

/**
 * Returns what a node registers with a bootstrap at the addresses `bootstrap`: its public addresses that are announced; where it
 * has none, as behind a NAT or in a container, each port that it listens on, as "my port, at the IP you see me at". That is
 * written `/ip4/0.0.0.0/tcp/<port>` for IPv6, too. Ports of unconfirmed public addresses come first.
 *
 * A bootstrap takes only addresses of the family that it sees the node in: `family`, that of the connection. Before there is
 * a connection it may be any family of the bootstrap's own addresses.
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

/** The families of these addresses, in which a bootstrap there may see a node. A name may be of either family. */
export function familiesOf(bootstrap: readonly string[]): Set<Family> {
  return new Set(
    bootstrap.flatMap((text): Family[] =>
      /^\/(ip|dns)4\//.test(text) ? [4] : /^\/(ip|dns)6\//.test(text) ? [6] : [4, 6],
    ),
  )
}
