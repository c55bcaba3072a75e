/**
 * Returns how many of a node's places the peers that it dialled fill. `soleOrigins` has for each of them the only origin that
 * named it, and undefined for a peer that several origins named, or none. While there are `several` origins, the peers of
 * one fill fewer than half of the target, however many they are: a lying bootstrap that was the only origin for a while
 * leaves places to the others.
 */
export function filledPlaces(soleOrigins: Iterable<string | undefined>, target: number, several: boolean): number {
  const counts = new Map<string | undefined, number>()
  for (const origin of soleOrigins) {
    counts.set(origin, (counts.get(origin) ?? 0) + 1)
  }
  const most = mostOfOneOrigin(target)
  return [...counts].reduce(
    (filled, [origin, count]) => filled + (several && origin !== undefined ? Math.min(count, most) : count),
    0,
  )
}

/** Fewer than half of the target, and at least one. */
export function mostOfOneOrigin(target: number): number {
  return Math.max(1, Math.floor((target - 1) / 2))
}
