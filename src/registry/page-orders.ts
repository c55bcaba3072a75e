// The orders in which readers of the rendezvous protocol get their pages.

import { hash } from 'node:crypto'
import { ipOf } from '../peer/address.ts'
import { networkGroupOf } from '../peer/ip.ts'
import type { RecordForm, SignedRecord } from '../peer/record.ts'
import { ListingOrder, type Position, type Spot } from './listing-order.ts'
import type { RegisteredPeer } from './registration.ts'

/** Who reads: those of one form of signed records, or those that are handed the proved addresses of all peers. */
export type Audience = RecordForm | 'unsigned'

/** The listed peers of one network, or of all, by who reads them. */
type Orders = Readonly<Record<Audience, ListingOrder<RegisteredPeer>>>

/**
 * The orders in which peers of the rendezvous protocol are read: of each network and of all, for each audience. Only peers
 * that are listed are in one, each in those of its readers: a peer that a reader is never handed takes no turn from another
 * of its network group.
 */
export class PageOrders {
  readonly #secret: string
  readonly #byNetwork = new Map<string, Orders>()
  readonly #all = newOrders()

  /** @param secret decides the order of the network groups, which remote peers must not know in advance. */
  constructor(secret: string) {
    this.#secret = secret
  }

  has(peer: RegisteredPeer): boolean {
    return this.#all.unsigned.has(peer)
  }

  /** Puts a peer into the orders of its readers, or records that it changed, at a version higher than any before. */
  show(peer: RegisteredPeer, record: SignedRecord | 'unsigned', version: number): void {
    let orders = this.#byNetwork.get(peer.network)
    if (orders === undefined) {
      orders = newOrders()
      this.#byNetwork.set(peer.network, orders)
    }
    const spot = this.#spotOf(peer)
    for (const audience of audiencesOf(record)) {
      orders[audience].put(peer, version, spot)
      this.#all[audience].put(peer, version, spot)
    }
  }

  hide(peer: RegisteredPeer, record: SignedRecord | 'unsigned'): void {
    const orders = this.#byNetwork.get(peer.network)
    for (const audience of audiencesOf(record)) {
      orders?.[audience].delete(peer)
      this.#all[audience].delete(peer)
    }
    if (orders?.unsigned.size === 0) {
      this.#byNetwork.delete(peer.network)
    }
  }

  /** The position of a new reader, when the last change had the version `upTo`. */
  start(network: string | undefined, audience: Audience, upTo: number, random: () => number): Position {
    return (this.#orderOf(network, audience) ?? NO_MEMBERS).startAt(upTo, random)
  }

  /** As {@link ListingOrder.read}. */
  read(
    network: string | undefined,
    audience: Audience,
    from: Position,
  ): Generator<readonly [RegisteredPeer | undefined, Position], Position> {
    return (this.#orderOf(network, audience) ?? NO_MEMBERS).read(from)
  }

  #orderOf(network: string | undefined, audience: Audience): ListingOrder<RegisteredPeer> | undefined {
    return (network === undefined ? this.#all : this.#byNetwork.get(network))?.[audience]
  }

  /**
   * By network group, as PeerIds are free: an attacker would try many and keep those that come first. A private range has
   * no groups and no turns.
   */
  #spotOf(peer: RegisteredPeer): Spot {
    const group = groupOf(peer)
    const digest = hash('sha256', `${this.#secret} ${group ?? peer.id}`, 'buffer')
    return { group, place: digest.readUIntBE(0, 6) }
  }
}

const NO_MEMBERS = new ListingOrder<RegisteredPeer>()

function newOrders(): Orders {
  return { standard: new ListingOrder(), 'routing-state': new ListingOrder(), unsigned: new ListingOrder() }
}

function audiencesOf(record: SignedRecord | 'unsigned'): readonly Audience[] {
  return record === 'unsigned' ? ['unsigned'] : [record.form, 'unsigned']
}

/** Whether a peer is handed out at one of its addresses, while its proof is not too old. */
export function isListed({ registrations }: RegisteredPeer): boolean {
  return registrations.some(({ listed }) => listed)
}

/** Public addresses have network groups; a private range counts as one, without turns. */
function groupOf({ registrations }: RegisteredPeer): string | undefined {
  const address = registrations.find(({ scope, listed }) => scope === 'public' && listed)?.address
  return address === undefined ? undefined : networkGroupOf(ipOf(address))
}
