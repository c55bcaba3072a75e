/** Milliseconds since the epoch. Everything that needs the time takes one of these. */
export type Clock = () => number

/**
 * Returns wall-clock time as of the first call in this process, advanced by the monotonic clock: setting the system's clock back an hour,
 * or forward ten years, neither expires a registration nor keeps a dead one.
 */
export function steadyClock(): Clock {
  offset ??= Date.now() - performance.now()
  const since = offset
  return () => Math.round(since + performance.now())
}

/** One for all clocks of the process: the store compares its times with those of the table. */
let offset: number | undefined
