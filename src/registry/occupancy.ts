// Counts registrations by IP and subnet.

import { Crowd } from './crowd.ts'
import { type Neighbourhood, type NeighbourhoodKey, type Neighbourhoods, placesOf } from './neighbourhoods.ts'
import type { Registration } from './registration.ts'

/**
 * How many registrations each neighbourhood holds. Counted as they are added and removed, so that a limit is one
 * look-up. Which network each place is for is only counted where a limit was reached: see {@link Occupancy.crowdAt}.
 */
export class Occupancy {
  readonly #counts = new Map<Neighbourhood, Map<NeighbourhoodKey, number>>()
  /** The registrations of the widest neighbourhoods, the oldest first. */
  readonly #groups = new Map<NeighbourhoodKey, Set<Registration>>()
  readonly #crowds = new Map<NeighbourhoodKey, Crowd>()

  /** The count under a key of {@link neighbourhoodsOf}, or of a PeerId. */
  count(kind: Neighbourhood, key: NeighbourhoodKey): number {
    return this.#counts.get(kind)?.get(key) ?? 0
  }

  /**
   * The widest of these neighbourhoods, counted by subnet and by network. It is counted when it is first asked for, and
   * from then on kept up to date until half of it is gone: each registration pays for it once.
   */
  crowdAt(places: Neighbourhoods): Crowd {
    const key = widestOf(places)
    const known = this.#crowds.get(key)
    if (known !== undefined) {
      return known
    }
    const crowd = new Crowd(this.#groups.get(key) ?? [])
    this.#crowds.set(key, crowd)
    return crowd
  }

  add(registration: Registration): void {
    const places = placesOf(registration)
    this.#count('peer', registration.peer.id, 1)
    for (const [kind, key] of places) {
      this.#count(kind, key, 1)
    }
    const key = widestOf(places)
    const group = this.#groups.get(key) ?? new Set()
    this.#groups.set(key, group.add(registration))
    this.#crowds.get(key)?.add(registration)
  }

  remove(registration: Registration): void {
    const places = placesOf(registration)
    this.#count('peer', registration.peer.id, -1)
    for (const [kind, key] of places) {
      this.#count(kind, key, -1)
    }
    const key = widestOf(places)
    const group = this.#groups.get(key)
    group?.delete(registration)
    if (group?.size === 0) {
      this.#groups.delete(key)
    }
    const crowd = this.#crowds.get(key)
    crowd?.remove(registration)
    if (crowd?.isOver) {
      this.#crowds.delete(key)
    }
  }

  /** A registration is not protected any more: it may give way to others. */
  release(registration: Registration): void {
    if (this.#crowds.size > 0) {
      this.#crowds.get(widestOf(placesOf(registration)))?.release(registration)
    }
  }

  #count(kind: Neighbourhood, key: NeighbourhoodKey, by: 1 | -1): void {
    const counts = this.#counts.get(kind) ?? new Map<NeighbourhoodKey, number>()
    this.#counts.set(kind, counts)
    const count = (counts.get(key) ?? 0) + by
    if (count > 0) {
      counts.set(key, count)
    } else {
      counts.delete(key)
    }
  }
}

function widestOf(places: Neighbourhoods): NeighbourhoodKey {
  return places.at(-1)![1]
}
