/**
 * The order in which members are read page by page, while some come, change and go. `docs/decisions/0005-rendezvous-order.md`
 * says why it is this one.
 *
 * A member has a version, which rises with every change of any member, and a turn: the lowest number that no other
 * member of its network group has. A first reading goes by turns, so that it starts with one member of each group, and
 * ends with what changed meanwhile; from then on only what changed is read.
 */
export class ListingOrder<Member> {
  readonly #turns: Track<Member>[] = []
  readonly #changes = new Track<Member>()
  readonly #seats = new Map<Member, Seat<Member>>()
  /** The turns taken in each group. */
  readonly #taken = new Map<string, Set<number>>()

  get size(): number {
    return this.#seats.size
  }

  /** Adds a member, or notes that it changed. `version` is higher than any before; members without a group have turn 0. */
  put(member: Member, version: number, group: string | undefined): void {
    this.delete(member)
    const seat: Seat<Member> = { member, version, turn: this.#takeTurn(group), group }
    this.#seats.set(member, seat)
    while (this.#turns.length <= seat.turn) {
      this.#turns.push(new Track())
    }
    this.#turns[seat.turn]!.push(seat)
    this.#changes.push(seat)
  }

  delete(member: Member): void {
    const seat = this.#seats.get(member)
    if (seat === undefined) {
      return
    }
    this.#seats.delete(member)
    this.#leaveTurn(seat)
    seat.member = undefined
    this.#turns[seat.turn]!.bury()
    this.#changes.bury()
  }

  /**
   * The members behind a position, each with the position behind it; returns the position at the end. Nothing may be
   * put or deleted while it is read. Getting to the first costs a binary search.
   */
  *read(from: Position): Generator<readonly [Member, Position], Position> {
    let since = from.upTo
    if (from.turn !== undefined) {
      for (let turn = from.turn; turn < this.#turns.length; turn++) {
        const behind = turn === from.turn ? from.version : 0
        for (const seat of this.#turns[turn]!.behind(behind)) {
          if (seat.version > from.upTo) {
            break
          }
          yield [seat.member, { upTo: from.upTo, turn, version: seat.version }]
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

  #leaveTurn({ group, turn }: Seat<Member>): void {
    const taken = group === undefined ? undefined : this.#taken.get(group)
    taken?.delete(turn)
    if (taken?.size === 0) {
      this.#taken.delete(group!)
    }
  }
}

/** Where a reader stands. */
export type Position =
  /** In the turns: behind the member with this turn and version. Of the members, those up to version `upTo` are meant. */
  | { readonly upTo: number; readonly turn: number; readonly version: number }
  /** In the changes: all up to version `upTo` is known. */
  | { readonly upTo: number; readonly turn: undefined }

/** The position of a reader that begins, when the last change had the version `upTo`. */
export function startAt(upTo: number): Position {
  return { upTo, turn: 0, version: 0 }
}

interface Seat<Member> {
  /** Undefined when the member left, or changed and sits elsewhere. */
  member: Member | undefined
  readonly version: number
  readonly turn: number
  readonly group: string | undefined
}

/** Seats by rising version. Those left are cleared away when they are half of it, so that each costs the same. */
class Track<Member> {
  #seats: Seat<Member>[] = []
  #left = 0

  push(seat: Seat<Member>): void {
    this.#seats.push(seat)
  }

  /** One of the seats was left. */
  bury(): void {
    this.#left++
    if (this.#left * 2 > this.#seats.length) {
      this.#seats = this.#seats.filter(({ member }) => member !== undefined)
      this.#left = 0
    }
  }

  *behind(version: number): Generator<Seat<Member> & { readonly member: Member }, undefined> {
    for (let at = this.#firstBehind(version); at < this.#seats.length; at++) {
      const seat = this.#seats[at]!
      if (seat.member !== undefined) {
        yield seat as Seat<Member> & { readonly member: Member }
      }
    }
  }

  #firstBehind(version: number): number {
    let low = 0
    let high = this.#seats.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#seats[middle]!.version <= version) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
