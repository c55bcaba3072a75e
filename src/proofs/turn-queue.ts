/** Those that wait, first come first served within a group, while the groups take turns. */
export class TurnQueue {
  readonly #groups = new Map<string, Array<() => void>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(group: string, turn: () => void): void {
    this.#size++
    const turns = this.#groups.get(group)
    if (turns === undefined) {
      this.#groups.set(group, [turn])
    } else {
      turns.push(turn)
    }
  }

  shift(): (() => void) | undefined {
    const first = this.#groups.entries().next()
    if (first.done) {
      return undefined
    }
    const [group, turns] = first.value
    const turn = turns.shift()
    this.#size--
    this.#groups.delete(group)
    if (turns.length > 0) {
      this.#groups.set(group, turns)
    }
    return turn
  }
}
