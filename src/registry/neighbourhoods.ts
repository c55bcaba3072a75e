// The subnets that a registration counts in.

import type { SharePath } from '../base/fair-shares.ts'
import { ipOf } from '../peer/address.ts'
import { type Ip, ip4Number, type Scope, subnetsOf } from '../peer/ip.ts'
import type { Registration } from './registration.ts'

/**
 * The unit that a limit counts by. `ip4/24` and the like are prefixes of public addresses; `scope` is a whole private
 * range.
 */
export type Neighbourhood = 'ip' | 'ip4/24' | 'ip4/16' | 'ip6/64' | 'ip6/56' | 'ip6/48' | 'ip6/32' | 'scope' | 'peer'

/** A small integer for IPv4 and its prefixes, a text for the rest: there are a few of these for every registration. */
export type NeighbourhoodKey = number | string

/** Neighbourhoods, the smallest first, each with the key it is counted under. */
export type Neighbourhoods = ReadonlyArray<readonly [Neighbourhood, NeighbourhoodKey]>

/** The neighbourhoods that an address is in. */
export function neighbourhoodsOf(ip: Ip, scope: Scope): Neighbourhoods {
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
  const [group, site, customer, subnet] = subnetsOf(ip) as [string, string, string, string]
  return [
    ['ip', own],
    ['ip6/64', subnet],
    ['ip6/56', customer],
    ['ip6/48', site],
    ['ip6/32', group],
  ]
}

/** The same as a path, widest first. */
export function pathOf(places: Neighbourhoods): SharePath {
  return places.map(([, key]) => key).reverse()
}

export function placesOf({ address, scope }: Registration): Neighbourhoods {
  return neighbourhoodsOf(ipOf(address), scope)
}
