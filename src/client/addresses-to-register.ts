import { parseAddress } from '../peer/address.ts'
import { scopeOf } from '../peer/ip.ts'
import { MAX_ADDRESSES } from '../wire/bootstrap-codec.ts'

/** A family of IP addresses. */
export type Family = 4 | 6

/**
 * What to register of the addresses a node has, with a bootstrap at these addresses. A bootstrap takes only what is of the
 * family it sees the node in: that of the connection, once there is one, before that any of the bootstrap's own. Those are
 * the node's public addresses; where it knows only private ones, behind a NAT or in a container, each port that it listens
 * on in that family as "my port, at the IP you see me at", which is written `/ip4/0.0.0.0/tcp/<port>` in either family.
 */
export function addressesToRegister(own: readonly string[], bootstrap: readonly string[], family?: Family): string[] {
  const families = family === undefined ? familiesOf(bootstrap) : new Set([family])
  const open = new Set<string>()
  const ports = new Set<number>()
  for (const text of own) {
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

/** A name is not registered, a bootstrap resolves none; but it has a port. */
const NAMED = /^\/dns[46]?\/[^/]+\/tcp\/(\d{1,5})(?:\/p2p\/[^/]+)?$/

/** The families of these addresses: a bootstrap there sees a node in the same. A name without a family may be either. */
function familiesOf(bootstrap: readonly string[]): Set<Family> {
  return new Set(
    bootstrap.flatMap((text): Family[] =>
      /^\/(ip|dns)4\//.test(text) ? [4] : /^\/(ip|dns)6\//.test(text) ? [6] : [4, 6],
    ),
  )
}
