/** Something hostile to send, and what is wrong with it. */
export interface Hostile {
  readonly kind: string
  readonly bytes: Buffer
}

/** So many of each kind at the least. */
export const PER_KIND = 5

/** A table of what is hostile, by kind. */
export function byKind(kinds: Readonly<Record<string, readonly Buffer[]>>): Hostile[] {
  return Object.entries(kinds).flatMap(([kind, all]) => all.map((bytes) => ({ kind, bytes })))
}

/** How many there are of each kind. */
export function countKinds(all: readonly { readonly kind: string }[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { kind } of all) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

/** How many there are of the kind that has the fewest. */
export function rarest(all: readonly { readonly kind: string }[]): number {
  return Math.min(...countKinds(all).values())
}
