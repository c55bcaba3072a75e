import { parseAddress } from '../peer/address.ts'
import { scopeOf } from '../peer/ip.ts'
import { MAX_ADDRESSES } from '../wire/bootstrap-codec.ts'

/**
 * What to register of the addresses a node has, with a bootstrap at these addresses: its public ones of the family it
 * will be seen in. Where it knows only private ones, behind a NAT or in a container, it is "my port, at the IP you see
 * me at", which the bootstrap writes as `/ip4/0.0.0.0/tcp/<port>` whichever the family.
 */
export function addressesToRegister(own: readonly string[], bootstrap: readonly string[]): string[] {
  const families = familiesOf(bootstrap)
  const open = new Set<string>()
  const ports = new Set<number>()
  for (const text of own) {
    const parsed = parseAddress(text)
    if (typeof parsed === 'string') {
      const [, port] = NAMED.exec(text) ?? []
      ports.add(Number(port ?? 0))
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

/** The families a bootstrap may see us in; by a name it may be either. */
function familiesOf(bootstrap: readonly string[]): Set<4 | 6> {
  return new Set(
    bootstrap.flatMap((text) => (text.startsWith('/ip4/') ? [4] : text.startsWith('/ip6/') ? [6] : [4, 6])),
  )
}
