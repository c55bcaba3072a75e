// What a keeper knows of one peer.

import type { OfferedAddress } from '../offered-peers.ts'
import type { Place } from '../places.ts'
import { type Prospect, soleOrigin } from './prospect.ts'

/** What a keeper knows of a peer. */
export interface Entry extends Prospect {
  /** The one it was last connected at is first. */
  addresses: readonly OfferedAddress[]
  /** Where its addresses are. */
  places: readonly Place[]
  /** While it is connected, of the address that it is connected at; `groups` too. */
  ips: ReadonlySet<string>
  groups: ReadonlySet<string>
  readonly sources: Set<string>
  anchor: boolean
  failures: number
  notBefore: number
  dialling: boolean
  /** When the connection that there is was opened, ms; undefined while there is none. */
  connectedAt: number | undefined
  /** Whether this node dialled the connection that there is, or one of them. */
  outbound: boolean
  /** Whether that connection has lasted long enough to be a success. */
  lasted: boolean
  /** Whether it is one of those that the keeper looks after: all that it dialled; of the others so many at each place. */
  held: boolean
  /** Where it was last connected at, by a connection that this node dialled. */
  worked: OfferedAddress | undefined
  /** Where it came from, while it is held as one that connected to this node. */
  cameFrom: readonly string[]
  /** When it was last seen to be alive, ms. */
  aliveAt: number
}

/** A connection to a peer, as far as the book is concerned. */
export interface Opened {
  readonly outbound: boolean
  /** The far end; undefined where that is no IP and TCP port. */
  readonly at: OfferedAddress | undefined
}

/** One that was never dialled. */
export function newEntry(
  id: string,
  addresses: readonly OfferedAddress[],
  sources: readonly string[],
  anchor: boolean,
): Entry {
  return {
    id,
    addresses,
    places: [],
    ips: new Set(),
    groups: new Set(),
    sources: new Set(sources),
    anchor,
    failures: 0,
    notBefore: 0,
    dialling: false,
    connectedAt: undefined,
    outbound: false,
    lasted: false,
    held: false,
    worked: anchor ? addresses[0] : undefined,
    cameFrom: [],
    aliveAt: 0,
  }
}

/**
 * Which of a crowd gives its place to a newcomer: of the origin that has the most there, the one that failed most, and of
 * those the oldest. Those that several origins name give theirs only to others of that kind. Undefined when there is none.
 */
export function victimOf(crowd: readonly Entry[], newcomer: Entry): Entry | undefined {
  const byOrigin = Map.groupBy(crowd, soleOrigin)
  const own = soleOrigin(newcomer)
  const sizeOf = (origin: string, entries: readonly Entry[]) => entries.length + (origin === own ? 1.5 : 0)
  const [most] = [...byOrigin]
    .flatMap(([origin, entries]) => (origin === undefined ? [] : [{ entries, size: sizeOf(origin, entries) }]))
    .sort((a, b) => b.size - a.size)
  const from = most?.entries ?? (own === undefined ? byOrigin.get(undefined) : undefined)
  return from?.reduce((a, b) => (b.failures > a.failures ? b : a))
}
