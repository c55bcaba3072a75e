// The reasons for which the guard refuses or hangs up on connections, and a count for each.

/** Why a connection was refused. */
export const REFUSALS = [
  /** the node stops */
  'stopping',
  /** the operator denied its IP: `deny` */
  'denied',
  /** its IP or subnet connects too often */
  'rate',
  /** its IP or subnet has as many connections as it may, none is idle, and it has its share of them */
  'group_full',
  /** as many handshakes are under way as there may be, none is silent, and its network has its share */
  'half_open_full',
  /** there are `max-connections` connections, none is idle, and its network has its share of them */
  'table_full',
] as const
/** Why a connection was hung up on. */
export const HANG_UPS = [
  /** it sent more bytes than its budget has */
  'too_many_bytes',
  /** it sent a yamux frame that breaks the protocol */
  'invalid_frame',
  /** it opened streams or sent small frames faster than its budget permits */
  'too_much_work',
  /** it sent nothing for 3 s in the middle of a handshake or of a frame */
  'silent',
  /** it was silent in its handshake, and another connection needed its slot */
  'half_open_crowded',
  /** it had no stream in use for the idle time */
  'idle',
  /** it had no stream in use, and the table was nearly full */
  'idle_crowded',
  /** it was the newest of the most crowded network, none was idle, and a newcomer of a less crowded one needed its slot */
  'crowded',
  /** it did not read what was sent to it */
  'slow_reader',
] as const

export type Refusal = (typeof REFUSALS)[number]
export type HangUp = (typeof HANG_UPS)[number]

/**
 * How often each happened since the node was constructed. The set of keys is closed, so that they can label a metric.
 */
export interface GuardCounters {
  /** Inbound connections, those that were refused for another reason than `stopping` and `denied` among them. */
  arrived: number
  readonly refused: Record<Refusal, number>
  readonly hungUp: Record<HangUp, number>
}

export function guardCounters(): GuardCounters {
  return { arrived: 0, refused: zeros(REFUSALS), hungUp: zeros(HANG_UPS) }
}

function zeros<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>
}
