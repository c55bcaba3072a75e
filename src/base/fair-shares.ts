// What nested subnets hold, such as places: how crowded each is, and which item of it gives way to a newcomer.

import { ShareBranch } from './share-branch.ts'

/** Keys of nested places, widest first: a /16, its /24, the address. No path is the beginning of another one. */
export type SharePath = ReadonlyArray<string | number>

/**
 * Members in nested places, with the place that holds the most in each: what gives way when a place is full, and whose
 * turn it is among those that wait. Adding, removing and finding cost a few steps a level, however many members there
 * are; nothing is scanned twice.
 *
 * A newcomer to a full place is owed a member's room when another child of that place has at least two members more than
 * the newcomer's own child: after the exchange the shares are closer, and the member that gave way is owed nothing.
 */
export class FairShares<Member> {
  readonly #root = new ShareBranch<Member>(undefined, '')

  get size(): number {
    return this.#root.count
  }

  /** Adds a member as the newest of its place, or as the oldest. A member is added once. */
  add(path: SharePath, member: Member, as: 'newest' | 'oldest' = 'newest'): void {
    const leaf = this.#root.grow(path)
    leaf.take(member, as)
    leaf.recount(1, 1)
  }

  /** Removes a member. Returns false when it is not there. */
  remove(path: SharePath, member: Member): boolean {
    const leaf = this.#root.find(path, path.length)
    if (leaf === undefined) {
      return false
    }
    const at = leaf.members.indexOf(member)
    if (at >= 0) {
      leaf.members.splice(at, 1)
      leaf.recount(-1, -1)
      return true
    }
    if (leaf.staying.delete(member)) {
      leaf.recount(-1, 0)
      return true
    }
    return false
  }

  /** How many members are in the place that the first `depth` keys of a path name; 0 keys name all of it. */
  count(path: SharePath, depth: number = path.length): number {
    return this.#root.find(path, depth)?.count ?? 0
  }

  /**
   * The member that gives way to a newcomer, when the place that the first `depth` keys of its path name is full: the
   * newest of the most crowded child there, when that has two members more than the newcomer's own child; where there is
   * none, of the next place down the newcomer's path. Undefined when the newcomer has its share already. Nothing is removed.
   */
  whoGivesWay(path: SharePath, depth: number, terms: GivingWay<Member> = {}): Member | undefined {
    const { mayGo = () => true, counted = 0, lead = 2 } = terms
    let place = this.#root.find(path, depth)
    for (let at = depth; at < path.length && place !== undefined; at++) {
      const own = place.children.get(path[at]!)
      const victim = place.newest((own?.count ?? 0) - counted + lead, mayGo)
      if (victim !== undefined) {
        return victim
      }
      place = own
    }
    return undefined
  }

  /** A member that was passed over may give way again, as the oldest of its place. */
  release(path: SharePath, member: Member): void {
    const leaf = this.#root.find(path, path.length)
    if (leaf?.staying.delete(member)) {
      leaf.take(member, 'oldest')
      leaf.recount(0, 1)
    }
  }

  /** Takes the oldest member of the place whose turn it is: on each level the places take turns. */
  next(): Member | undefined {
    const path: Array<string | number> = []
    let place = this.#root
    for (;;) {
      const first = place.children.entries().next()
      if (first.done) {
        break
      }
      const [key, child] = first.value
      place.children.delete(key)
      place.children.set(key, child)
      path.push(key)
      place = child
    }
    const [oldest] = place.members
    if (oldest !== undefined) {
      this.remove(path, oldest)
    }
    return oldest
  }
}

/** Which members give way. */
export interface GivingWay<Member> {
  /**
   * Is asked for the members that could give way, newest first. One that may not is passed over from then on, until
   * {@link FairShares.release}. Default: each may.
   */
  readonly mayGo?: (member: Member) => boolean
  /** 1 when the newcomer is a member already. Default 0. */
  readonly counted?: 0 | 1
  /** How many members more than the newcomer's own child another child must have. Default 2: that never goes back and forth. */
  readonly lead?: 1 | 2
}
