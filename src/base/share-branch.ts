/** One place of `FairShares`: its children in order of how crowded they are, or its members. */
export class ShareBranch<Member> {
  /** In the order of their turns. */
  readonly children = new Map<string | number, ShareBranch<Member>>()
  /** Members of this very place that may give way, the oldest first. */
  readonly members: Member[] = []
  /** Those that were passed over. */
  readonly staying = new Set<Member>()
  /** Members, in here and further in. */
  count = 0
  readonly #parent: ShareBranch<Member> | undefined
  readonly #key: string | number
  /** Those of `count` that may give way. */
  #yielding = 0
  /** Under which count it is in its parent's `#crowds`; 0 when it is not. */
  #standing = 0
  /** The one that gives way after it, of those that have as many members, and the one before. */
  #after: ShareBranch<Member> | undefined
  #before: ShareBranch<Member> | undefined
  /** The children with members that may give way, by how many members they have in all. */
  readonly #crowds = new Map<number, Crowd<Member>>()
  /** The highest key of `#crowds`. */
  #most = 0

  constructor(parent: ShareBranch<Member> | undefined, key: string | number) {
    this.#parent = parent
    this.#key = key
  }

  find(path: ReadonlyArray<string | number>, depth: number): ShareBranch<Member> | undefined {
    let place: ShareBranch<Member> | undefined = this
    for (let at = 0; at < depth && place !== undefined; at++) {
      place = place.children.get(path[at]!)
    }
    return place
  }

  /** As {@link find}, and makes what is not there. */
  grow(path: ReadonlyArray<string | number>): ShareBranch<Member> {
    let place: ShareBranch<Member> = this
    for (const key of path) {
      let child: ShareBranch<Member> | undefined = place.children.get(key)
      if (child === undefined) {
        child = new ShareBranch(place, key)
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

  #mostCrowded(): ShareBranch<Member> | undefined {
    return this.#crowds.get(this.#most)?.first
  }

  /** A child has other counts than before. One that grew is the first of its crowd, one that shrank has paid. */
  #rank(child: ShareBranch<Member>): void {
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

  #joinCrowd(child: ShareBranch<Member>, as: 'first' | 'last'): void {
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

    function link(one: ShareBranch<Member>, other: ShareBranch<Member>): void {
      one.#after = other
      other.#before = one
    }
  }

  #leaveCrowd(child: ShareBranch<Member>): void {
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
  first: ShareBranch<Member>
  last: ShareBranch<Member>
}
