/**
 * A set of members by network group that adds, removes and picks at random in constant time, however many there are:
 * groups and members are dense arrays, and the last one fills the hole of a removed one.
 */
export class GroupSet<Member extends Seated<Member>> {
  readonly #groups: Group<Member>[] = []
  readonly #byKey = new Map<string, Group<Member>>()
  #size = 0

  /** How many members are in it. */
  get size(): number {
    return this.#size
  }

  get groups(): ReadonlyArray<Group<Member>> {
    return this.#groups
  }

  /** Adds a member that sits in no set. */
  add(member: Member, key: string): void {
    let group = this.#byKey.get(key)
    if (group === undefined) {
      group = { set: this, key, members: [], position: this.#groups.length }
      this.#groups.push(group)
      this.#byKey.set(key, group)
    }
    member.group = group
    member.position = group.members.length
    group.members.push(member)
    this.#size++
  }

  /** Removes a member of this set. */
  remove(member: Member): void {
    const group = member.group!
    fillHole(group.members, member)
    member.group = undefined
    this.#size--
    if (group.members.length === 0) {
      fillHole(this.#groups, group)
      this.#byKey.delete(group.key)
    }
  }
}

/** The members of one network group, in no order. */
export interface Group<Member extends Seated<Member>> {
  readonly set: GroupSet<Member>
  readonly key: string
  readonly members: Member[]
  position: number
}

/** What a member carries so that it can be taken out without a search. Only its {@link GroupSet} writes to it. */
export interface Seated<Member extends Seated<Member>> {
  group: Group<Member> | undefined
  position: number
}

function fillHole<Item extends { position: number }>(items: Item[], leaving: Item): void {
  const last = items.pop()!
  if (last !== leaving) {
    items[leaving.position] = last
    last.position = leaving.position
  }
}
