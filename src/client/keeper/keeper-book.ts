// The peers that a keeper can connect to, and the results of its dials.

import { type BackOff, backOff } from '../../base/back-off.ts'
import type { Random } from '../../base/random.ts'
import type { OfferedAddress } from '../offered-peers.ts'
import type { Prospect } from './keeper-plan.ts'

/** The most peers that are kept in mind; each takes about half a kilobyte. */
export const MAX_PROSPECTS = 1000
/**
 * After a failure a peer is left alone for 1–3 s, then twice as long each time, up to half an hour, ± 50 %. The first
 * pause is short: a libp2p node takes 5 connections a second from one IP, and peers behind one NAT start together.
 */
export const PEER_BACK_OFF: BackOff = { first: 2000, most: 30 * 60_000 }
/** After this number of failures in a row, about half an hour, a peer is forgotten until it is named again. */
const GIVE_UP_AFTER = 10
/** A connection that ends this soon was no success, ms. */
const SHORT_MS = 10_000

export interface Entry extends Prospect {
  addresses: readonly OfferedAddress[]
  groups: ReadonlySet<string>
  readonly sources: Set<string>
  anchor: boolean
  failures: number
  notBefore: number
  dialling: boolean
  /** When the connection that there is was opened, ms; undefined while there is none. */
  connectedAt: number | undefined
  /** When it was last seen to be alive, ms. */
  aliveAt: number
}

/** The peers that a keeper may connect to, and what became of it. Synchronous; no I/O. */
export class KeeperBook {
  readonly #entries = new Map<string, Entry>()

  get(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  get size(): number {
    return this.#entries.size
  }

  /** Those connected, or being dialled. */
  get engaged(): Entry[] {
    return this.#entries
      .values()
      .filter(({ dialling, connectedAt }) => dialling || connectedAt !== undefined)
      .toArray()
  }

  get connected(): Entry[] {
    return this.#entries
      .values()
      .filter(({ connectedAt }) => connectedAt !== undefined)
      .toArray()
  }

  get available(): Entry[] {
    return this.#entries
      .values()
      .filter(({ dialling, connectedAt }) => !dialling && connectedAt === undefined)
      .toArray()
  }

  /** Somebody named a peer. Undefined when there is no room for it. */
  add(id: string, addresses: readonly OfferedAddress[], sources: readonly string[], anchor = false): Entry | undefined {
    let entry = this.#entries.get(id)
    if (entry === undefined) {
      if (this.#entries.size >= MAX_PROSPECTS && !this.#makeRoom()) {
        return undefined
      }
      entry = {
        id,
        addresses,
        groups: groupsOf(addresses),
        sources: new Set(),
        anchor,
        failures: 0,
        notBefore: 0,
        dialling: false,
        connectedAt: undefined,
        aliveAt: 0,
      }
      this.#entries.set(id, entry)
    }
    entry.addresses = addresses
    entry.groups = groupsOf(addresses)
    entry.anchor ||= anchor
    for (const source of sources) {
      entry.sources.add(source)
    }
    return entry
  }

  opened(entry: Entry, now: number): void {
    entry.connectedAt ??= now
    entry.aliveAt = now
  }

  /** The last connection to it ended. */
  closed(entry: Entry, now: number, random: Random): void {
    const { connectedAt = now } = entry
    entry.connectedAt = undefined
    if (now - connectedAt < SHORT_MS) {
      this.failed(entry, now, random)
    } else {
      entry.failures = 0
      entry.notBefore = now + backOff(1, PEER_BACK_OFF, random)
    }
  }

  failed(entry: Entry, now: number, random: Random): void {
    entry.failures++
    entry.notBefore = now + backOff(entry.failures, PEER_BACK_OFF, random)
    if (entry.failures >= GIVE_UP_AFTER) {
      this.#entries.delete(entry.id)
    }
  }

  /** The one that failed most goes. */
  #makeRoom(): boolean {
    const worst = this.available.reduce<Entry | undefined>(
      (a, b) => (b.failures > (a?.failures ?? 0) ? b : a),
      undefined,
    )
    return worst !== undefined && this.#entries.delete(worst.id)
  }
}

function groupsOf(addresses: readonly OfferedAddress[]): Set<string> {
  return new Set(addresses.flatMap(({ group }) => group ?? []))
}
