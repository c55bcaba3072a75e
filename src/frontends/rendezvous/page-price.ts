/** What a page took: records in it, rows looked at for it, bytes of the answer. */
export interface PageCost {
  readonly records: number
  readonly walked: number
  readonly bytes: number
}

/**
 * How much of each one turn buys. A turn is priced at 0.4 ms: see `policy/request-limits.ts`. A record takes 10 µs to
 * choose and encode, a row that is not for the caller 0.2 µs. An address at its rate of 20 turns a second gets 640 KiB.
 */
const RECORDS_OF_A_TURN = 40
const ROWS_OF_A_TURN = 2000
const BYTES_OF_A_TURN = 32 * 1024

/**
 * Turns that a page costs beyond the one of its request: none for a short page, 32 for 1000 records. At one turn a page
 * an address had a quarter of a core and 5 MB a second.
 */
export function pagePrice({ records, walked, bytes }: PageCost): number {
  return Math.floor(records / RECORDS_OF_A_TURN + walked / ROWS_OF_A_TURN + bytes / BYTES_OF_A_TURN)
}
