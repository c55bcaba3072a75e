// Picks the connections to hang up on because their peers do not read, or because too many bytes wait in all.

/** A connection whose remote peer may not read what the node writes. */
export interface Reader {
  /** Whether the peer has to take something before more can be written. */
  readonly stalled: boolean
  /** Bytes that wait here because the peer does not take them. */
  readonly unsent: number
  /** Since when it is stalled, ms; kept here, and cleared when the peer takes something. */
  stalledSince: number | undefined
}

/** A peer that takes nothing for this long, ms, no longer reads: as long as an answer may wait for its reader. */
export const STALL_MS = 5000
/** How many bytes may wait over all connections. Beyond, the connection with the most of them is hung up on. */
export const MAX_UNSENT_TOTAL = 16 * 1024 * 1024

/** The connections to hang up on: the peer reads nothing, or the memory is needed for others. */
export function slowReaders<R extends Reader>(
  readers: Iterable<R>,
  now: number,
  maxUnsent: number = MAX_UNSENT_TOTAL,
): R[] {
  const slow: R[] = []
  const waiting: Array<readonly [R, number]> = []
  let total = 0
  for (const reader of readers) {
    reader.stalledSince = reader.stalled ? (reader.stalledSince ?? now) : undefined
    if (reader.stalledSince !== undefined && now - reader.stalledSince >= STALL_MS) {
      slow.push(reader)
      continue
    }
    const { unsent } = reader
    if (unsent > 0) {
      total += unsent
      waiting.push([reader, unsent])
    }
  }
  if (total > maxUnsent) {
    waiting.sort(([, a], [, b]) => b - a)
    for (const [reader, unsent] of waiting) {
      if (total <= maxUnsent) {
        break
      }
      total -= unsent
      slow.push(reader)
    }
  }
  return slow
}
