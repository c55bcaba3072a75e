import { randomFillSync } from 'node:crypto'

/** A uniform number in [0, 1). Code that needs randomness takes one of these. */
export type Random = () => number

/**
 * Cryptographic randomness, drawn from the system in blocks: a client that watches the answers must not be able to
 * predict them. 32 bits a number, so picking among a million is even to one part in four thousand.
 */
export function secureRandom(): Random {
  const block = new Uint32Array(1024)
  let next = block.length
  return () => {
    if (next === block.length) {
      randomFillSync(block)
      next = 0
    }
    return block[next++]! / 2 ** 32
  }
}
