import { type Block, hashOf } from './block.ts'

/** Blocks on blocks, in memory. */
export class Chain {
  readonly #blocks: Block[] = []

  get height(): number {
    return this.#blocks.length
  }

  /** Hash of the last block. */
  get tip(): string {
    const last = this.#blocks.at(-1)
    return last === undefined ? '0'.repeat(64) : hashOf(last)
  }

  /** Takes a block if it is the next one. */
  append(block: Block): boolean {
    const fits = block.height === this.height + 1 && block.previous === this.tip
    if (fits) {
      this.#blocks.push(block)
    }
    return fits
  }

  /** The next block, with this in it. */
  next(payload: string): Block {
    return { height: this.height + 1, previous: this.tip, payload }
  }

  /** Those above a height, up to a number of them. */
  above(height: number, most: number): readonly Block[] {
    return this.#blocks.slice(height, height + most)
  }
}
