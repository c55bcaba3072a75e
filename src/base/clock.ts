/** Milliseconds since the epoch. Everything that needs the time takes one of these. */
export type Clock = () => number

/**
 * Wall-clock time as it was when this was called, moved on by the monotonic clock: setting the system's clock back an
 * hour, or on ten years, neither expires a registration nor keeps a dead one.
 */
export function steadyClock(): Clock {
  const offset = Date.now() - performance.now()
  return () => Math.round(offset + performance.now())
}
