// How many peers of one subnet an answer may have.

import { ipOf } from '../peer/address.ts'
import { ip4NumberAt, prefixOf } from '../peer/ip.ts'
import type { ListedRegistration } from '../registry/network-table.ts'
import type { RegisteredPeer, Registration } from '../registry/registration.ts'

/**
 * How many of one answer may come from one neighbourhood of the public internet. The owner of a subnet has all its
 * addresses; go-ethereum takes 2 a /24, and 8 a /16 let an answer of 250 span 30 operators at the least.
 */
export const MAX_PER_IP = 1
export const MAX_PER_SUBNET = 2
export const MAX_PER_GROUP = 8
/** Of one IP, where few peers can be picked and there are others. */
export const MAX_PER_IP_OF_FEW = 2

/** How many may come from one IP, subnet and network group. */
export interface Caps {
  readonly ip: number
  readonly subnet: number
  readonly group: number
}

export const CAPS: Caps = { ip: MAX_PER_IP, subnet: MAX_PER_SUBNET, group: MAX_PER_GROUP }
/**
 * How the caps are lifted where few would remain, one after the other. The one by IP is the last, and not all of it: the
 * identities of one machine cost nothing, and would be most of the answers of a young network.
 */
export const LIFTED_CAPS: readonly Caps[] = [
  { ...CAPS, subnet: Number.POSITIVE_INFINITY },
  { ...CAPS, subnet: Number.POSITIVE_INFINITY, group: Number.POSITIVE_INFINITY },
  { ip: MAX_PER_IP_OF_FEW, subnet: Number.POSITIVE_INFINITY, group: Number.POSITIVE_INFINITY },
]
export const NO_CAPS: Caps = {
  ip: Number.POSITIVE_INFINITY,
  subnet: Number.POSITIVE_INFINITY,
  group: Number.POSITIVE_INFINITY,
}

/** What may be picked, and how much of it. */
export interface PickQuery {
  /** The most peers to pick. */
  readonly limit: number
  /** Whether a listed registration may be handed out at this moment (not expired, proved not long ago). */
  readonly current: (registration: Registration) => boolean
}

/** What an answer holds so far, with the counts its caps need. */
export class Picked {
  readonly registrations: Registration[] = []
  readonly limit: number
  caps = CAPS
  readonly #query: PickQuery
  readonly #except: RegisteredPeer | undefined
  /** Peers, and the registrations of those that have one: to look at a million peers is to wait for the memory. */
  readonly #taken = new Set<RegisteredPeer | Registration>()
  readonly #ips = new Map<number | string, number>()
  readonly #subnets = new Map<number | string, number>()
  readonly #groups = new Map<unknown, number>()

  constructor(query: PickQuery, except: RegisteredPeer | undefined) {
    this.limit = query.limit
    this.#query = query
    this.#except = except
  }

  /** How many public IPs it holds peers of. */
  get ipCount(): number {
    return this.#ips.size
  }

  /** Whether a network group of the public internet has as many as it may. */
  isFull(group: ListedRegistration['group']): boolean {
    return (this.#groups.get(group) ?? 0) >= this.caps.group
  }

  take(registration: ListedRegistration): boolean {
    const { peer, alone } = registration
    const taken = alone ? registration : peer
    if (!this.#query.current(registration) || peer === this.#except || this.#taken.has(taken)) {
      return false
    }
    if (registration.scope === 'public' && !this.#hasRoomFor(registration)) {
      return false
    }
    this.#taken.add(taken)
    this.registrations.push(registration)
    return true
  }

  /** Counts it when there is. What counts as one address is what one machine has: of IPv6 a /64. */
  #hasRoomFor({ address, group }: ListedRegistration): boolean {
    let ip: number | string
    let subnet: number | string
    if (address.startsWith(IP4)) {
      ip = ip4NumberAt(address, IP4.length)
      subnet = ip >>> 8
    } else {
      const text = ipOf(address)
      ip = prefixOf(text, 64)
      subnet = prefixOf(text, 48)
    }
    const atIp = this.#ips.get(ip) ?? 0
    const inSubnet = this.#subnets.get(subnet) ?? 0
    if (atIp >= this.caps.ip || inSubnet >= this.caps.subnet) {
      return false
    }
    this.#ips.set(ip, atIp + 1)
    this.#subnets.set(subnet, inSubnet + 1)
    this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1)
    return true
  }
}

const IP4 = '/ip4/'
