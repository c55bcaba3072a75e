/** Nested places, widest first: a /16, its /24, the address. No path is the beginning of another one. */
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
  readonly #root = new Branch<Member>(undefined, '')

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
   * newest of the most crowded child there that has at least two members more than the newcomer's own; where there is
   * none, of the next place down the newcomer's path. Undefined when the newcomer has its share already. Nothing is removed.
   *
   * @param mayGo is asked for the members that could give way, newest first. One that may not is passed over from then
   * on, until {@link release}.
   * @param counted 1 when the newcomer is a member already, else 0.
   */
  whoGivesWay(
    path: SharePath,
    depth: number,
    mayGo: (member: Member) => boolean = () => true,
    counted: 0 | 1 = 0,
  ): Member | undefined {
    let place = this.#root.find(path, depth)
    for (let at = depth; at < path.length && place !== undefined; at++) {
      const own = place.children.get(path[at]!)
      const victim = place.newest((own?.count ?? 0) - counted + 2, mayGo)
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

class Branch<Member> {
  /** In the order of their turns. */
  readonly children = new Map<string | number, Branch<Member>>()
  /** Members of this very place that may give way, the oldest first. */
  readonly members: Member[] = []
  /** Those that were passed over. */
  readonly staying = new Set<Member>()
  /** Members, in here and further in. */
  count = 0
  readonly #parent: Branch<Member> | undefined
  readonly #key: string | number
  /** Those of `count` that may give way. */
  #yielding = 0
  /** Under which count it is in its parent's `#crowds`; 0 when it is not. */
  #standing = 0
  /** The one that gives way after it, of those that have as many members, and the one before. */
  #after: Branch<Member> | undefined
  #before: Branch<Member> | undefined
  /** The children with members that may give way, by how many members they have in all. */
  readonly #crowds = new Map<number, Crowd<Member>>()
  /** The highest key of `#crowds`. */
  #most = 0

  constructor(parent: Branch<Member> | undefined, key: string | number) {
    this.#parent = parent
    this.#key = key
  }

  find(path: SharePath, depth: number): Branch<Member> | undefined {
    let place: Branch<Member> | undefined = this
    for (let at = 0; at < depth && place !== undefined; at++) {
      place = place.children.get(path[at]!)
    }
    return place
  }

  /** As {@link find}, and makes what is not there. */
  grow(path: SharePath): Branch<Member> {
    let place: Branch<Member> = this
    for (const key of path) {
      let child: Branch<Member> | undefined = place.children.get(key)
      if (child === undefined) {
        child = new Branch(place, key)
        place.children.set(key, child)
      }
      place = child
    }
    return place
  }

  take(member: Member, as: 'newest' | 'oldest'): void {
    if (as === 'newest') {
      this.members.push(member)
    } else {
      this.members.unshift(member)
    }
  }

  /** Changes the counts here and in the places around; those that are empty go. */
  recount(count: number, yielding: number): void {
    this.count += count
    this.#yielding += yielding
    const parent = this.#parent
    if (parent !== undefined) {
      parent.#rank(this)
      if (this.count === 0) {
        parent.children.delete(this.#key)
      }
      parent.recount(count, yielding)
    }
  }

  /** The newest member that may go, of the most crowded child that has at least this many. */
  newest(atLeast: number, mayGo: (member: Member) => boolean): Member | undefined {
    for (let child = this.#mostCrowded(); child !== undefined && child.count >= atLeast; child = this.#mostCrowded()) {
      const newest = child.children.size > 0 ? child.newest(1, mayGo) : child.#ownNewest(mayGo)
      if (newest !== undefined) {
        return newest
      }
      // None of its members may go: it is in no crowd any more.
    }
    return undefined
  }

  #ownNewest(mayGo: (member: Member) => boolean): Member | undefined {
    for (;;) {
      const newest = this.members.at(-1)
      if (newest === undefined || mayGo(newest)) {
        return newest
      }
      this.members.pop()
      this.staying.add(newest)
      this.recount(0, -1)
    }
  }

  #mostCrowded(): Branch<Member> | undefined {
    return this.#crowds.get(this.#most)?.first
  }

  /** A child has other counts than before. One that grew is the first of its crowd, one that shrank has paid. */
  #rank(child: Branch<Member>): void {
    const before = child.#standing
    const standing = child.#yielding > 0 ? child.count : 0
    if (standing === before) {
      return
    }
    this.#leaveCrowd(child)
    child.#standing = standing
    if (standing > 0) {
      this.#joinCrowd(child, standing > before ? 'first' : 'last')
      this.#most = Math.max(this.#most, standing)
    }
    // As far down as the counts before went up.
    while (this.#most > 0 && !this.#crowds.has(this.#most)) {
      this.#most--
    }
  }

  #joinCrowd(child: Branch<Member>, as: 'first' | 'last'): void {
    const crowd = this.#crowds.get(child.#standing)
    if (crowd === undefined) {
      this.#crowds.set(child.#standing, { first: child, last: child })
    } else if (as === 'first') {
      link(child, crowd.first)
      crowd.first = child
    } else {
      link(crowd.last, child)
      crowd.last = child
    }

    function link(one: Branch<Member>, other: Branch<Member>): void {
      one.#after = other
      other.#before = one
    }
  }

  #leaveCrowd(child: Branch<Member>): void {
    const crowd = this.#crowds.get(child.#standing)
    if (crowd === undefined) {
      return
    }
    const [before, after] = [child.#before, child.#after]
    if (before === undefined && after === undefined) {
      this.#crowds.delete(child.#standing)
      return
    }
    if (before === undefined) {
      crowd.first = after!
    } else {
      before.#after = after
    }
    if (after === undefined) {
      crowd.last = before!
    } else {
      after.#before = before
    }
    child.#before = undefined
    child.#after = undefined
  }
}

/** The children of one place that have as many members as each other. */
interface Crowd<Member> {
  first: Branch<Member>
  last: Branch<Member>
}
