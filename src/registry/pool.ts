/**
 * Members by network group: adding, removing and picking at random take the same time, however many there are. Groups
 * and members are dense arrays, and the last one fills the hole of a removed one.
 */
export class Pool<Member extends Seated<Member>> {
  readonly #groups: Record<Half, Group<Member>[]> = { ripe: [], fresh: [] }
  readonly #byKey = new Map<string, Group<Member>>()
  #size = 0

  /** How many members are in it. */
  get size(): number {
    return this.#size
  }

  /** The groups with a ripe member, and those without. */
  get groups(): Readonly<Record<Half, ReadonlyArray<Group<Member>>>> {
    return this.#groups
  }

  /** Adds a member, or moves it to the other half of its group. */
  put(member: Member, key: string, half: Half): void {
    if (member.group !== undefined) {
      if (member.half === half) {
        return
      }
      this.remove(member)
    }
    let group = this.#byKey.get(key)
    if (group === undefined) {
      group = { key, half: 'fresh', ripe: [], fresh: [], position: 0 }
      this.#byKey.set(key, group)
      seat(this.#groups.fresh, group)
    }
    member.group = group
    member.half = half
    seat(group[half], member)
    this.#size++
    this.#settle(group)
  }

  /** Removes a member, if it is in. */
  remove(member: Member): void {
    const { group } = member
    if (group === undefined) {
      return
    }
    unseat(group[member.half], member)
    member.group = undefined
    this.#size--
    this.#settle(group)
  }

  /** Puts a group where its members say it belongs. */
  #settle(group: Group<Member>): void {
    if (group.ripe.length + group.fresh.length === 0) {
      unseat(this.#groups[group.half], group)
      this.#byKey.delete(group.key)
      return
    }
    const half = group.ripe.length > 0 ? 'ripe' : 'fresh'
    if (half !== group.half) {
      unseat(this.#groups[group.half], group)
      group.half = half
      seat(this.#groups[half], group)
    }
  }
}

/** Ripe are those that have answered for long. */
export type Half = 'ripe' | 'fresh'

/** The members of one network group, in no order. It is ripe itself when one of them is. */
export interface Group<Member extends Seated<Member>> {
  readonly key: string
  readonly ripe: Member[]
  readonly fresh: Member[]
  half: Half
  position: number
}

/** What a member carries so that it can be taken out without a search. Only its {@link Pool} writes to it. */
export interface Seated<Member extends Seated<Member>> {
  group: Group<Member> | undefined
  half: Half
  position: number
}

function seat<Item extends { position: number }>(items: Item[], item: Item): void {
  item.position = items.length
  items.push(item)
}

function unseat<Item extends { position: number }>(items: Item[], leaving: Item): void {
  const last = items.pop()!
  if (last !== leaving) {
    items[leaving.position] = last
    last.position = leaving.position
  }
}
