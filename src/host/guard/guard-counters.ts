/** Why a connection was refused. */
export const REFUSALS = ['stopping', 'denied', 'rate', 'group_full', 'half_open_full', 'table_full'] as const
/** Why a connection was hung up on. */
export const HANG_UPS = [
  'too_many_bytes',
  'invalid_frame',
  'too_much_work',
  'silent',
  'half_open_crowded',
  'idle',
  'idle_crowded',
  'slow_reader',
] as const

export type Refusal = (typeof REFUSALS)[number]
export type HangUp = (typeof HANG_UPS)[number]

/**
 * How often each happened since the node was constructed. The set of keys is closed, so that they can label a metric.
 */
export interface GuardCounters {
  readonly refused: Record<Refusal, number>
  readonly hungUp: Record<HangUp, number>
}

export function guardCounters(): GuardCounters {
  return { refused: zeros(REFUSALS), hungUp: zeros(HANG_UPS) }
}

function zeros<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>
}
