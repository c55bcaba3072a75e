import { ipOf } from '../../peer/address.ts'
import { networkGroupOf, scopeOf } from '../../peer/ip.ts'

/** Peers that only connected to this node: the most at one public IP. */
const MAX_PER_PUBLIC_IP = 4
/** The same at a private or loopback one: the peers of a network behind a NAT, or all strangers behind one proxy. */
const MAX_PER_PRIVATE_IP = 16
/** The same in one network group of public IPs. */
const MAX_PER_GROUP = 16

/** Counts where the peers of a cache are that only connected to this node. Synchronous; no I/O. */
export class InboundPlaces {
  readonly #counts = new Map<string, number>()

  /** Whether one more fits at each of these multiaddrs. */
  hasRoom(addresses: readonly string[]): boolean {
    return placesOf(addresses).every(({ place, most }) => (this.#counts.get(place) ?? 0) < most)
  }

  add(addresses: readonly string[]): void {
    for (const { place } of placesOf(addresses)) {
      this.#counts.set(place, (this.#counts.get(place) ?? 0) + 1)
    }
  }

  /** Undoes {@link add} with the same addresses. */
  remove(addresses: readonly string[]): void {
    for (const { place } of placesOf(addresses)) {
      const count = (this.#counts.get(place) ?? 0) - 1
      if (count > 0) {
        this.#counts.set(place, count)
      } else {
        this.#counts.delete(place)
      }
    }
  }
}

/** The IPs and the groups of a peer, each once, with the number of peers that it has room for. */
function placesOf(addresses: readonly string[]): Array<{ readonly place: string; readonly most: number }> {
  const places = new Map<string, number>()
  for (const ip of addresses.map(ipOf)) {
    const isPublic = scopeOf(ip) === 'public'
    places.set(`ip ${ip.text}`, isPublic ? MAX_PER_PUBLIC_IP : MAX_PER_PRIVATE_IP)
    if (isPublic) {
      places.set(`group ${networkGroupOf(ip)}`, MAX_PER_GROUP)
    }
  }
  return [...places].map(([place, most]) => ({ place, most }))
}
