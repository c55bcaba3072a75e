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
  relaxed = false
  readonly #query: PickQuery
  readonly #except: RegisteredPeer | undefined
  /** Peers, and the registrations of those that have one: to look at a million peers is to wait for the memory. */
  readonly #taken = new Set<RegisteredPeer | Registration>()
  readonly #ips = new Map<number | string, number>()
  readonly #subnets = new Map<number | string, number>()

  constructor(query: PickQuery, except: RegisteredPeer | undefined) {
    this.limit = query.limit
    this.#query = query
    this.#except = except
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
  #hasRoomFor({ address }: ListedRegistration): boolean {
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
    if (!this.relaxed && (atIp >= MAX_PER_IP || inSubnet >= MAX_PER_SUBNET)) {
      return false
    }
    this.#ips.set(ip, atIp + 1)
    this.#subnets.set(subnet, inSubnet + 1)
    return true
  }
}

const IP4 = '/ip4/'
