import type { Listed } from '../support/tables.ts'

/** How the honest peers of the eclipse tests sit in the internet: the /16 and /24 of each of them. */
export const HONEST = {
  'a /16 each': spread(Array.from({ length: 500 }, () => 1)),
  'clustered in 50 /16s': spread(Array.from({ length: 50 }, () => 10)),
  // Sizes fall as 1/rank, as the hosting companies of the public chains do: the first has 89, most have one or two.
  'heavy-tailed': spread(zipf(500)),
} as const satisfies Record<string, readonly string[]>

/** Where an attacker puts 28 addresses, no two in one /24. */
export const ATTACKER = {
  '28 /16s': place(28, 1),
  '14 /16s': place(14, 2),
  '7 /16s': place(7, 4),
  'one /16': place(1, 28),
} as const satisfies Record<string, readonly string[]>

export function peersAt(ips: readonly string[], prefix: string, isEstablished: (n: number) => boolean): Listed[] {
  return ips.map((ip, n) => ({
    peerId: `${prefix}-${n}`,
    address: `/ip4/${ip}/tcp/4001`,
    established: isEstablished(n),
  }))
}

/** So many peers in each /16, two in each /24. */
function spread(sizes: readonly number[]): string[] {
  return sizes.flatMap((size, group) =>
    Array.from({ length: size }, (_, n) => `${20 + (group >> 8)}.${group & 255}.${n >> 1}.${1 + (n & 1)}`),
  )
}

function place(groups: number, each: number): string[] {
  return Array.from({ length: groups }, (_, group) =>
    Array.from({ length: each }, (_, n) => `60.${group}.${n}.1`),
  ).flat()
}

function zipf(total: number): number[] {
  const sizes: number[] = []
  for (let left = total, rank = 1; left > 0; rank++) {
    const size = Math.min(left, Math.max(1, Math.round(89 / rank)))
    sizes.push(size)
    left -= size
  }
  return sizes
}
