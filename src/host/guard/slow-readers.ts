/** A connection as somebody who may not read what we write. */
export interface Reader {
  /** Whether it has to take something before more can be written. */
  readonly stalled: boolean
  /** Bytes that wait here because it does not take them. */
  readonly unsent: number
  /** Since when it is stalled, ms; kept here, and cleared by whoever hears that it took something. */
  stalledSince: number | undefined
}

/** Who takes nothing of what we wrote for so long reads no longer, ms: as long as an answer may wait for its reader. */
export const STALL_MS = 5000
/** What may wait for readers over all connections, bytes. Beyond, whoever keeps the most waiting has to go. */
export const MAX_UNSENT_TOTAL = 16 * 1024 * 1024

/** Who has to be hung up on, because it reads nothing or because what waits for it is needed elsewhere. */
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
