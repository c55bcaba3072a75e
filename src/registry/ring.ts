// A sorted collection that is read in a circle from any place; the listing order of rendezvous pages uses it.

/** A place on a ring of {@link RING_SIZE}. */
export interface Placed {
  readonly place: number
}

/** Places fit into six bytes of a cookie. */
export const RING_SIZE = 2 ** 48
/** So that an addition moves a few hundred items, and a search in 200,000 looks at 400 chunks' ends by halves. */
const MAX_CHUNK = 512

/**
 * Items in the order of their places, each at a place of its own; reading goes round. Adding and deleting cost about the
 * square root of the size.
 */
export class Ring<Item extends Placed> {
  /** None is empty. */
  readonly #chunks: Item[][] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The first place from this one on where there is no item. */
  freePlace(place: number): number {
    let free = place
    while (this.#find(free) !== undefined) {
      free = (free + 1) % RING_SIZE
    }
    return free
  }

  /** Adds an item, at a place that is free. */
  add(item: Item): void {
    this.#size++
    const at = this.#chunkAt(item.place)
    const chunk = this.#chunks[at]
    if (chunk === undefined) {
      this.#chunks.push([item])
      return
    }
    chunk.splice(firstFrom(chunk, item.place), 0, item)
    if (chunk.length > MAX_CHUNK) {
      this.#chunks.splice(at + 1, 0, chunk.splice(MAX_CHUNK / 2))
    }
  }

  /** Deletes an item that is there. */
  delete(item: Item): void {
    const at = this.#chunkAt(item.place)
    const chunk = this.#chunks[at]!
    chunk.splice(firstFrom(chunk, item.place), 1)
    this.#size--
    if (chunk.length === 0) {
      this.#chunks.splice(at, 1)
    }
  }

  /** The n-th item, from 0. */
  at(n: number): Item | undefined {
    let left = n
    for (const chunk of this.#chunks) {
      if (left < chunk.length) {
        return chunk[left]
      }
      left -= chunk.length
    }
    return undefined
  }

  /** Yields the items from `start + offset` on, once round and not past `start`. Do not change the ring meanwhile. */
  *read(start: number, offset: number): Generator<Item, undefined> {
    const from = start + offset
    if (from < RING_SIZE) {
      yield* this.#between(from, RING_SIZE)
    }
    yield* this.#between(Math.max(0, from - RING_SIZE), start)
  }

  *#between(from: number, to: number): Generator<Item, undefined> {
    for (let at = this.#chunkAt(from); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!
      for (let i = firstFrom(chunk, from); i < chunk.length; i++) {
        const item = chunk[i]!
        if (item.place >= to) {
          return
        }
        yield item
      }
    }
  }

  #find(place: number): Item | undefined {
    const chunk = this.#chunks[this.#chunkAt(place)]
    const item = chunk?.[firstFrom(chunk, place)]
    return item?.place === place ? item : undefined
  }

  /** The last chunk that begins at or before a place; the first one, when none does. */
  #chunkAt(place: number): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#chunks[middle]![0]!.place <= place) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return Math.max(0, low - 1)
  }
}

/** The index of the first item at or behind a place. */
function firstFrom(chunk: readonly Placed[], place: number): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (chunk[middle]!.place < place) {
      low = middle + 1
    } else {
      high = middle
    }
  }
  return low
}
