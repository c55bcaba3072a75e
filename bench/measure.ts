import type { ServerProcess } from './server-process.ts'

/** One figure of the table. */
export interface Row {
  readonly name: string
  readonly unit: string
  /** Medians. */
  readonly ours: number
  readonly baseline?: number
  /** ours / baseline, the median of the pairs. */
  readonly ratio?: number
  /** What the issue asks for: the most that the ratio, or where there is none the figure itself, may be. */
  readonly bound?: number
}

/** CPU of the server for one operation, in ms, user and system. */
export async function cpuPer(server: ServerProcess, operations: number, run: () => Promise<unknown>): Promise<number> {
  const before = await server.usage()
  await run()
  const after = await server.usage()
  return (after.cpu - before.cpu) / operations / 1000
}

/** Ours and the baseline in turn, so that a machine that slows down slows both; the first pair warms up. */
export async function paired(
  pairs: number,
  ours: () => Promise<number>,
  baseline: () => Promise<number>,
): Promise<Required<Pick<Row, 'ours' | 'baseline' | 'ratio'>>> {
  await ours()
  await baseline()
  const figures: Array<[number, number]> = []
  for (let i = 0; i < pairs; i++) {
    figures.push(i % 2 === 0 ? [await ours(), await baseline()] : swap([await baseline(), await ours()]))
  }
  return {
    ours: median(figures.map(([a]) => a)),
    baseline: median(figures.map(([, b]) => b)),
    ratio: median(figures.map(([a, b]) => a / b)),
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

function swap<A, B>([a, b]: [A, B]): [B, A] {
  return [b, a]
}
