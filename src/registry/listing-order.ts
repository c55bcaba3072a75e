/**
 * The order in which members are read page by page, while some are added, changed and removed.
 * `docs/decisions/0005-rendezvous-order.md` has the reasons.
 *
 * A member has a version, which rises with every change of any member, and a turn: the lowest number that no other
 * member of its network group has. A first read goes by turns, so that it starts with one member of each group, and
 * ends with what changed meanwhile; later reads return only what changed.
 */
export class ListingOrder<Member> {
  readonly #turns: Track<Member>[] = []
  readonly #changes = new Track<Member>()
  readonly #slots = new Map<Member, Slot<Member>>()
  /** The turns that are taken in each group. */
  readonly #taken = new Map<string, Set<number>>()

  get size(): number {
    return this.#slots.size
  }

  /**
   * Adds a member, or records that it changed. `version` is higher than any before; members without a group have turn
   * 0.
   */
  put(member: Member, version: number, group: string | undefined): void {
    this.delete(member)
    const slot: Slot<Member> = { member, version, turn: this.#takeTurn(group), group }
    this.#slots.set(member, slot)
    while (this.#turns.length <= slot.turn) {
      this.#turns.push(new Track())
    }
    this.#turns[slot.turn]!.push(slot)
    this.#changes.push(slot)
  }

  delete(member: Member): void {
    const slot = this.#slots.get(member)
    if (slot === undefined) {
      return
    }
    this.#slots.delete(member)
    this.#leaveTurn(slot)
    slot.member = undefined
    this.#turns[slot.turn]!.bury()
    this.#changes.bury()
  }

  /**
   * Yields the members after a position, each with the position after it; returns the position at the end. Do not put
   * or delete while it is read. Finding the first costs a binary search.
   */
  *read(from: Position): Generator<readonly [Member, Position], Position> {
    let since = from.upTo
    if (from.turn !== undefined) {
      for (let turn = from.turn; turn < this.#turns.length; turn++) {
        const behind = turn === from.turn ? from.version : 0
        for (const slot of this.#turns[turn]!.behind(behind)) {
          if (slot.version > from.upTo) {
            break
          }
          yield [slot.member, { upTo: from.upTo, turn, version: slot.version }]
        }
      }
    }
    for (const { member, version } of this.#changes.behind(since)) {
      since = version
      yield [member, { upTo: version, turn: undefined }]
    }
    return { upTo: since, turn: undefined }
  }

  #takeTurn(group: string | undefined): number {
    if (group === undefined) {
      return 0
    }
    const taken = this.#taken.get(group) ?? new Set()
    this.#taken.set(group, taken)
    let turn = 0
    while (taken.has(turn)) {
      turn++
    }
    taken.add(turn)
    return turn
  }

  #leaveTurn({ group, turn }: Slot<Member>): void {
    const taken = group === undefined ? undefined : this.#taken.get(group)
    taken?.delete(turn)
    if (taken?.size === 0) {
      this.#taken.delete(group!)
    }
  }
}

/** The position of a reader. */
export type Position =
  /** In the turns: after the member with this turn and version. Only members up to version `upTo` are read. */
  | { readonly upTo: number; readonly turn: number; readonly version: number }
  /** In the changes: everything up to version `upTo` was read. */
  | { readonly upTo: number; readonly turn: undefined }

/** The position of a new reader, when the last change had the version `upTo`. */
export function startAt(upTo: number): Position {
  return { upTo, turn: 0, version: 0 }
}

interface Slot<Member> {
  /** Undefined when the member left, or changed and has another slot. */
  member: Member | undefined
  readonly version: number
  readonly turn: number
  readonly group: string | undefined
}

/** Slots by rising version. Empty ones are removed when they are half of it, so that each operation costs the same. */
class Track<Member> {
  #slots: Slot<Member>[] = []
  #left = 0

  push(slot: Slot<Member>): void {
    this.#slots.push(slot)
  }

  /** One of the slots became empty. */
  bury(): void {
    this.#left++
    if (this.#left * 2 > this.#slots.length) {
      this.#slots = this.#slots.filter(({ member }) => member !== undefined)
      this.#left = 0
    }
  }

  *behind(version: number): Generator<Slot<Member> & { readonly member: Member }, undefined> {
    for (let at = this.#firstBehind(version); at < this.#slots.length; at++) {
      const slot = this.#slots[at]!
      if (slot.member !== undefined) {
        yield slot as Slot<Member> & { readonly member: Member }
      }
    }
  }

  #firstBehind(version: number): number {
    let low = 0
    let high = this.#slots.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#slots[middle]!.version <= version) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
