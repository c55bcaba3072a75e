import { createHash } from 'node:crypto'

/** A block of a chain whose only rule is that each names the one before. A real one has signatures and a consensus. */
export interface Block {
  readonly height: number
  /** Hash of the block before; 64 zeros for the first. */
  readonly previous: string
  readonly payload: string
}

const MAX_PAYLOAD = 1024

export function hashOf({ height, previous, payload }: Block): string {
  return createHash('sha256')
    .update(JSON.stringify([height, previous, payload]))
    .digest('hex')
}

export function encodeBlock(block: Block): Uint8Array {
  return Buffer.from(JSON.stringify(block))
}

/** Undefined for anything that is no block. */
export function decodeBlock(bytes: Uint8Array): Block | undefined {
  try {
    const { height, previous, payload } = JSON.parse(Buffer.from(bytes).toString())
    const wellFormed =
      Number.isSafeInteger(height) &&
      /^[0-9a-f]{64}$/.test(previous) &&
      typeof payload === 'string' &&
      payload.length <= MAX_PAYLOAD
    return wellFormed ? { height, previous, payload } : undefined
  } catch {
    return undefined
  }
}
