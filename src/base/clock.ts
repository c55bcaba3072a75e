/** Milliseconds since the epoch. Everything that needs the time takes one of these. */
export type Clock = () => number

/**
 * Returns wall-clock time as of this call, advanced by the monotonic clock: setting the system's clock back an hour,
 * or forward ten years, neither expires a registration nor keeps a dead one.
 */
export function steadyClock(): Clock {
  const offset = Date.now() - performance.now()
  return () => Math.round(offset + performance.now())
}
