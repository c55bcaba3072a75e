import { ipOf } from '../peer/address.ts'
import { type Ip, ip4Number, prefixOf, type Scope } from '../peer/ip.ts'
import type { Registration } from './registration.ts'

/**
 * The unit that a limit counts by. `ip4/24` and the like are prefixes of public addresses; `scope` is a whole private
 * range.
 */
export type Neighbourhood = 'ip' | 'ip4/24' | 'ip4/16' | 'ip6/64' | 'ip6/56' | 'ip6/48' | 'ip6/32' | 'scope' | 'peer'

/** A small integer for IPv4 and its prefixes, a text for the rest: there are a few of these for every registration. */
export type NeighbourhoodKey = number | string

/**
 * How many registrations each neighbourhood holds. Counted as they are added and removed, so that a limit is one
 * look-up.
 */
export class Occupancy {
  readonly #counts = new Map<Neighbourhood, Map<NeighbourhoodKey, number>>()

  /** The count under a key of {@link neighbourhoodsOf}, or of a PeerId. */
  count(kind: Neighbourhood, key: NeighbourhoodKey): number {
    return this.#counts.get(kind)?.get(key) ?? 0
  }

  add(registration: Registration): void {
    for (const [kind, key] of placesOf(registration)) {
      let counts = this.#counts.get(kind)
      if (counts === undefined) {
        counts = new Map()
        this.#counts.set(kind, counts)
      }
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }

  remove(registration: Registration): void {
    for (const [kind, key] of placesOf(registration)) {
      const left = this.count(kind, key) - 1
      if (left > 0) {
        this.#counts.get(kind)?.set(key, left)
      } else {
        this.#counts.get(kind)?.delete(key)
      }
    }
  }
}

/** The neighbourhoods of an address, smallest first, each with the key it is counted under. */
export function neighbourhoodsOf(ip: Ip, scope: Scope): ReadonlyArray<readonly [Neighbourhood, NeighbourhoodKey]> {
  const own = ip.family === 4 ? ip4Number(ip) : ip.text
  if (scope !== 'public') {
    return [
      ['ip', own],
      ['scope', scope],
    ]
  }
  if (typeof own === 'number') {
    return [
      ['ip', own],
      ['ip4/24', own >>> 8],
      ['ip4/16', own >>> 16],
    ]
  }
  return [
    ['ip', own],
    ['ip6/64', prefixOf(ip, 64)],
    ['ip6/56', prefixOf(ip, 56)],
    ['ip6/48', prefixOf(ip, 48)],
    ['ip6/32', prefixOf(ip, 32)],
  ]
}

function placesOf(registration: Registration): ReadonlyArray<readonly [Neighbourhood, NeighbourhoodKey]> {
  return [['peer', registration.peer.id], ...neighbourhoodsOf(ipOf(registration.address), registration.scope)]
}
