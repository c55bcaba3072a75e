/** The wire counts whole seconds and the client ms: these two convert, and nothing else of the client does. */

/** Returns whole seconds, not more than `ms`. */
export function toSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}

/** Returns ms. */
export function toMs(seconds: number): number {
  return seconds * 1000
}
