/**
 * How many of a node's places the peers that it dialled fill, by the origin whose word alone stands for each; undefined for
 * one that several origins named, or none. While there are `several` origins, those of one fill fewer than half of the
 * target, however many they are: a liar that was the only origin for a while leaves places to the others.
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
