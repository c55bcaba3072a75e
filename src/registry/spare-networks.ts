// Which networks give way when there are as many as may be.

import { FairShares, type SharePath } from '../base/fair-shares.ts'
import { pathOf, placesOf } from './neighbourhoods.ts'
import type { NetworkTable, RegistrationEntry } from './network-table.ts'
import { isStatic } from './registration.ts'

/** A network with more peers than this is not given up at once, proved or not: to remove them takes time. */
export const MAX_SPARE_PEERS = 16

/**
 * The networks with fewer than two listed peers, by where that peer is: one of these gives way when there are as many
 * networks as there may be. The one without a name is none of them.
 */
export class SpareNetworks {
  readonly #shares = new FairShares<NetworkTable>()
  readonly #entries = new Map<string, Entry>()

  /** A registration of the network came, went, or began or ceased to be listed. */
  settle(table: NetworkTable): void {
    const known = this.#entries.get(table.name)
    const { listedPeers, peers, name } = table
    const isSpare = name !== '' && listedPeers < 2 && peers.size > 0 && peers.size <= MAX_SPARE_PEERS
    if (isSpare ? known?.listedPeers === listedPeers : known === undefined) {
      return
    }
    if (known !== undefined) {
      this.#shares.remove(known.path, known.table)
      this.#entries.delete(name)
    }
    if (isSpare) {
      const path = pathOf(placesOf(firstOf(table)))
      this.#shares.add(path, table)
      this.#entries.set(name, { path, table, listedPeers })
    }
  }

  /** Whether a network is one of these, and without a listed peer. */
  isEmpty(network: string): boolean {
    return this.#entries.get(network)?.listedPeers === 0
  }

  /**
   * The name of the network that gives way to a new one whose first peer is at this path, which may be there already:
   * the newest from where most of them are. Undefined when no other subnet has more of them than that peer's own.
   */
  whoGivesWay(path: SharePath, newcomer: string): string | undefined {
    const own = this.#entries.get(newcomer)
    if (own !== undefined) {
      this.#shares.remove(own.path, own.table)
    }
    const found = this.#shares.whoGivesWay(path, 0, { mayGo, lead: 1 })
    if (own !== undefined) {
      this.#shares.add(own.path, own.table)
    }
    return found?.name
  }
}

interface Entry {
  readonly table: NetworkTable
  readonly path: SharePath
  readonly listedPeers: number
}

/** The operator's entries stay. */
function mayGo({ peers }: NetworkTable): boolean {
  return peers.values().every(({ registrations }) => !registrations.some(isStatic))
}

/** A registration of the listed peer; of any, where none is listed. */
function firstOf({ peers }: NetworkTable): RegistrationEntry {
  const all = [...peers.values()].flatMap(({ registrations }) => registrations)
  return all.find(({ group }) => group !== undefined) ?? all[0]!
}
