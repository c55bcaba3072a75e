import { parseAddress } from '../peer/address.ts'
import { type Ip, prefixOf, type Scope } from '../peer/ip.ts'
import type { Registration } from './registration.ts'

/** What a limit can be counted by. `ip4/24` and the like are prefixes of public addresses; `scope` a whole private range. */
export type Neighbourhood = 'ip' | 'ip4/24' | 'ip4/16' | 'ip6/64' | 'ip6/56' | 'ip6/48' | 'ip6/32' | 'scope' | 'peer'

/** How many registrations each neighbourhood holds. Counted as they come and go, so that a limit is one look-up. */
export class Occupancy {
  readonly #counts = new Map<string, number>()

  /** The count under a key of {@link neighbourhoodsOf}. */
  count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  add(registration: Registration): void {
    for (const key of keysOf(registration)) {
      this.#counts.set(key, this.count(key) + 1)
    }
  }

  remove(registration: Registration): void {
    for (const key of keysOf(registration)) {
      const left = this.count(key) - 1
      if (left > 0) {
        this.#counts.set(key, left)
      } else {
        this.#counts.delete(key)
      }
    }
  }
}

/** The neighbourhoods of an address, smallest first, each with the key it is counted under. */
export function neighbourhoodsOf(ip: Ip, scope: Scope): ReadonlyArray<readonly [Neighbourhood, key: string]> {
  if (scope !== 'public') {
    return [
      ['ip', ip.text],
      ['scope', scope],
    ]
  }
  if (ip.family === 4) {
    return [
      ['ip', ip.text],
      ['ip4/24', prefixOf(ip, 24)],
      ['ip4/16', prefixOf(ip, 16)],
    ]
  }
  return [
    ['ip', ip.text],
    ['ip6/64', prefixOf(ip, 64)],
    ['ip6/56', prefixOf(ip, 56)],
    ['ip6/48', prefixOf(ip, 48)],
    ['ip6/32', prefixOf(ip, 32)],
  ]
}

function keysOf(registration: Registration): string[] {
  const parsed = parseAddress(registration.address)
  if (typeof parsed === 'string' || parsed.address === undefined) {
    return []
  }
  return [registration.peer.id, ...neighbourhoodsOf(parsed.address.ip, registration.scope).map(([, key]) => key)]
}
