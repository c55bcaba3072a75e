import { RING_SIZE, Ring } from './ring.ts'

/**
 * The order in which members are read page by page, while some are added, changed and removed.
 * `docs/decisions/0005-rendezvous-order.md` has the reasons.
 *
 * A member has a version, which rises with every change of any member, a turn, which is the lowest number that no other
 * member of its network group had when it came, and a place on a ring. A first read goes by turns, so that it starts with
 * one member of each group, each turn once round the ring from where this reader began, and ends with what changed
 * meanwhile; later reads return only what changed.
 */
export class ListingOrder<Member> {
  readonly #turns: Array<Ring<Slot<Member>>> = []
  readonly #changes = new Track<Member>()
  readonly #slots = new Map<Member, Slot<Member>>()
  readonly #groups = new Map<string, FreeTurns>()

  get size(): number {
    return this.#slots.size
  }

  has(member: Member): boolean {
    return this.#slots.has(member)
  }

  /**
   * Adds a member, or records that it changed: it keeps its slot then, or moves to an earlier turn that has become free.
   * `version` is higher than any before. Members without a group have turn 0.
   */
  put(member: Member, version: number, { group, place }: Spot): void {
    let slot = this.#slots.get(member)
    if (slot !== undefined) {
      this.#changes.bury(slot.change)
      if (slot.group !== group || (group !== undefined && this.#groups.get(group)!.lowest < slot.turn)) {
        this.#leave(slot)
        slot = undefined
      }
    }
    slot ??= this.#enter(member, group, place)
    slot.version = version
    slot.change = this.#changes.push(member, version)
  }

  delete(member: Member): void {
    const slot = this.#slots.get(member)
    if (slot !== undefined) {
      this.#changes.bury(slot.change)
      this.#leave(slot)
    }
  }

  /** The position of a new reader, when the last change had the version `upTo`: at a member drawn at random. */
  startAt(upTo: number, random: () => number): Position {
    const first = this.#turns[0]
    const start = first?.at(Math.floor(random() * first.size))?.place ?? 0
    return { upTo, turn: 0, start, offset: 0 }
  }

  /**
   * Yields the members after a position, each with the position after it; undefined for a slot whose member has changed
   * since the reader began, which comes later. Returns the position at the end. Do not put or delete while it is read.
   * Finding the first costs a binary search.
   */
  *read(from: Position): Generator<readonly [Member | undefined, Position], Position> {
    let since = from.upTo
    if (from.turn !== undefined) {
      const { upTo, start } = from
      for (let { turn, offset } = from; turn < this.#turns.length; turn++, offset = 0) {
        for (const { member, version, place } of this.#turns[turn]!.read(start, offset)) {
          const behind = (place - start + RING_SIZE) % RING_SIZE
          yield [version > upTo ? undefined : member, positionBehind(behind, { upTo, turn, start })]
        }
      }
    }
    for (const { member, version } of this.#changes.behind(since)) {
      since = version
      yield [member, { upTo: version, turn: undefined }]
    }
    return { upTo: since, turn: undefined }
  }

  #enter(member: Member, group: string | undefined, place: number): Slot<Member> {
    const turn = this.#takeTurn(group)
    while (this.#turns.length <= turn) {
      this.#turns.push(new Ring())
    }
    const ring = this.#turns[turn]!
    const slot: Slot<Member> = { member, turn, group, place: ring.freePlace(place), version: 0, change: undefined }
    ring.add(slot)
    this.#slots.set(member, slot)
    return slot
  }

  #leave(slot: Slot<Member>): void {
    const { member, group, turn } = slot
    this.#slots.delete(member)
    this.#turns[turn]!.delete(slot)
    if (group !== undefined && this.#groups.get(group)!.leave(turn) === 0) {
      this.#groups.delete(group)
    }
  }

  #takeTurn(group: string | undefined): number {
    if (group === undefined) {
      return 0
    }
    let turns = this.#groups.get(group)
    if (turns === undefined) {
      turns = new FreeTurns()
      this.#groups.set(group, turns)
    }
    return turns.take()
  }
}

/** Where a new member belongs. */
export interface Spot {
  /** Its network group. */
  readonly group: string | undefined
  /** Below {@link RING_SIZE}; the next free one, when another member of its turn has it. */
  readonly place: number
}

/** The position of a reader. */
export type Position =
  /** In the turns: behind all from `start` up to `start + offset`, once round. Only members up to version `upTo` are read. */
  | { readonly upTo: number; readonly turn: number; readonly start: number; readonly offset: number }
  /** In the changes: everything up to version `upTo` was read. */
  | { readonly upTo: number; readonly turn: undefined }

/** Behind the item that is so far behind `start`. */
function positionBehind(
  behind: number,
  { upTo, turn, start }: { readonly upTo: number; readonly turn: number; readonly start: number },
): Position {
  return behind + 1 < RING_SIZE ? { upTo, turn, start, offset: behind + 1 } : { upTo, turn: turn + 1, start, offset: 0 }
}

interface Slot<Member> {
  readonly member: Member
  readonly turn: number
  readonly group: string | undefined
  readonly place: number
  version: number
  change: Change<Member> | undefined
}

/** Which turns of one group are free: those that were left, and all from the next one on. */
class FreeTurns {
  /** Falling. */
  readonly #left: number[] = []
  #next = 0

  /** The lowest one. */
  get lowest(): number {
    return this.#left.at(-1) ?? this.#next
  }

  take(): number {
    return this.#left.pop() ?? this.#next++
  }

  /** Returns how many are taken. */
  leave(turn: number): number {
    const at = this.#left.findLastIndex((each) => each > turn)
    this.#left.splice(at + 1, 0, turn)
    return this.#next - this.#left.length
  }
}

interface Change<Member> {
  /** Undefined when the member left, or changed again. */
  member: Member | undefined
  readonly version: number
}

/** Changes by rising version. Buried ones are removed when they are half of it, so that each operation costs the same. */
class Track<Member> {
  #changes: Array<Change<Member>> = []
  #buried = 0

  push(member: Member, version: number): Change<Member> {
    const change = { member, version }
    this.#changes.push(change)
    return change
  }

  bury(change: Change<Member> | undefined): void {
    if (change === undefined) {
      return
    }
    change.member = undefined
    this.#buried++
    if (this.#buried * 2 > this.#changes.length) {
      this.#changes = this.#changes.filter(({ member }) => member !== undefined)
      this.#buried = 0
    }
  }

  *behind(version: number): Generator<Change<Member> & { readonly member: Member }, undefined> {
    for (let at = this.#firstBehind(version); at < this.#changes.length; at++) {
      const change = this.#changes[at]!
      if (change.member !== undefined) {
        yield change as Change<Member> & { readonly member: Member }
      }
    }
  }

  #firstBehind(version: number): number {
    let low = 0
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#changes[middle]!.version <= version) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
