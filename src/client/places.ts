// Limits of peers by IP and network group, for the cache, the book and the choice.

import { ipOf } from '../peer/address.ts'
import { networkGroupOf, scopeOf } from '../peer/ip.ts'

/** How many peers have room at one place. PeerIds cost nothing, so peers are counted by where they are. */
export interface PlaceLimits {
  readonly perPublicIp: number
  /** At a private or loopback IP: the peers of a network behind a NAT, or all remote peers behind one proxy. */
  readonly perPrivateIp: number
  /** In one network group (a /16, or a /32 of IPv6) of public IPs. */
  readonly perGroup: number
}

/** At one public IP: a host with several nodes, or the nodes of a household. */
export const PER_PUBLIC_IP = 4
/** In one network group, as many as a client takes of one from an answer. */
export const PER_GROUP = 16

export interface Place {
  /** An opaque key. */
  readonly key: string
  /** How many peers have room there. */
  readonly most: number
}

/** The IPs and the network groups of canonical multiaddrs, each once. */
export function placesOf(addresses: readonly string[], limits: PlaceLimits): Place[] {
  const places = new Map<string, number>()
  for (const ip of addresses.map(ipOf)) {
    const isPublic = scopeOf(ip) === 'public'
    places.set(`ip ${ip.text}`, isPublic ? limits.perPublicIp : limits.perPrivateIp)
    if (isPublic) {
      places.set(`group ${networkGroupOf(ip)}`, limits.perGroup)
    }
  }
  return [...places].map(([key, most]) => ({ key, most }))
}

/** Counts peers by place. Synchronous; no I/O. */
export class PlaceCounts {
  readonly #limits: PlaceLimits
  readonly #counts = new Map<string, number>()

  constructor(limits: PlaceLimits) {
    this.#limits = limits
  }

  /** Whether one more fits at each of these multiaddrs. */
  hasRoom(addresses: readonly string[]): boolean {
    return this.fullOf(addresses).length === 0
  }

  /** The keys of the places of these multiaddrs where no more fit. */
  fullOf(addresses: readonly string[]): string[] {
    return placesOf(addresses, this.#limits).flatMap(({ key, most }) =>
      (this.#counts.get(key) ?? 0) < most ? [] : [key],
    )
  }

  add(addresses: readonly string[]): void {
    for (const { key } of placesOf(addresses, this.#limits)) {
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    }
  }

  /** Undoes {@link add} with the same addresses. */
  remove(addresses: readonly string[]): void {
    for (const { key } of placesOf(addresses, this.#limits)) {
      const count = (this.#counts.get(key) ?? 0) - 1
      if (count > 0) {
        this.#counts.set(key, count)
      } else {
        this.#counts.delete(key)
      }
    }
  }
}
