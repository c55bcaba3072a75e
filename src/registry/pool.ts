// The listed members of a network by network group, old and new apart, from which policy/selection.ts draws.

/**
 * Members by network group: adding, removing and picking at random take the same time, however many there are. Groups
 * and members are dense arrays; the last element takes the place of a removed one.
 */
export class Pool<Member extends Pooled<Member>> {
  readonly #groups: Record<Age, Group<Member>[]> = { established: [], recent: [] }
  readonly #byKey = new Map<string, Group<Member>>()
  #size = 0

  /** How many members are in it. */
  get size(): number {
    return this.#size
  }

  /** The groups with an established member, and those without. */
  get groups(): Readonly<Record<Age, ReadonlyArray<Group<Member>>>> {
    return this.#groups
  }

  /** Adds a member, or moves it to the other age in its group. */
  put(member: Member, key: string, age: Age): void {
    if (member.group !== undefined) {
      if (member.age === age) {
        return
      }
      this.remove(member)
    }
    let group = this.#byKey.get(key)
    if (group === undefined) {
      group = { key, age: 'recent', established: [], recent: [], position: 0 }
      this.#byKey.set(key, group)
      addTo(this.#groups.recent, group)
    }
    member.group = group
    member.age = age
    addTo(group[age], member)
    this.#size++
    this.#settle(group)
  }

  /** Removes a member, if it is in. */
  remove(member: Member): void {
    const { group } = member
    if (group === undefined) {
      return
    }
    removeFrom(group[member.age], member)
    member.group = undefined
    this.#size--
    this.#settle(group)
  }

  /** Puts a group among the established or the recent ones, as its members are. */
  #settle(group: Group<Member>): void {
    if (group.established.length + group.recent.length === 0) {
      removeFrom(this.#groups[group.age], group)
      this.#byKey.delete(group.key)
      return
    }
    const age = group.established.length > 0 ? 'established' : 'recent'
    if (age !== group.age) {
      removeFrom(this.#groups[group.age], group)
      group.age = age
      addTo(this.#groups[age], group)
    }
  }
}

/** An established member has answered for at least a day. */
export type Age = 'established' | 'recent'

/** The members of one network group, in no order. It is established itself when one of them is. */
export interface Group<Member extends Pooled<Member>> {
  readonly key: string
  readonly established: Member[]
  readonly recent: Member[]
  age: Age
  position: number
}

/** The state in a member with which it is removed without a search. Only its {@link Pool} writes to it. */
export interface Pooled<Member extends Pooled<Member>> {
  group: Group<Member> | undefined
  age: Age
  position: number
}

function addTo<Item extends { position: number }>(items: Item[], item: Item): void {
  item.position = items.length
  items.push(item)
}

function removeFrom<Item extends { position: number }>(items: Item[], leaving: Item): void {
  const last = items.pop()!
  if (last !== leaving) {
    items[leaving.position] = last
    last.position = leaving.position
  }
}
