/** One figure of the table. */
export interface Row {
  readonly name: string
  readonly unit: string
  /** Medians, where nothing else is said. */
  readonly ours: number
  readonly baseline?: number
  /** ours / baseline, the median of the pairs. */
  readonly ratio?: number
  /** What is to be reached: the most that the ratio, or where there is none the figure itself, may be. */
  readonly bound?: number
  /** What went on meanwhile. */
  readonly note?: string
}

/** A row that could not be measured here. */
export interface Skipped {
  readonly name: string
  readonly skipped: string
}

export interface Scale {
  readonly pairs: number
  /** Operations of one client in one measurement. */
  readonly times: number
  /** How long the lists are. */
  readonly known: readonly number[]
  /** Snapshots under which stalls are looked for. */
  readonly snapshots: number
  readonly identities: number
  /** The crowd at rust-libp2p's server, and at ours beside it. */
  readonly crowd: number
  /** Whether what is missing may be built, which takes minutes. */
  readonly build: boolean
}

/** One or more rows that are measured together. */
export interface Measurement {
  /** What its rows are called. */
  readonly rows: readonly string[]
  /** `wanted` tells which of them somebody wants to see. */
  measure(scale: Scale, wanted: (row: string) => boolean): Promise<ReadonlyArray<Row | Skipped>>
}

/** CPU so far, user and system, µs. */
export interface Measured {
  cpu(): Promise<number>
}

/** CPU of the server for one operation, in ms, user and system. */
export async function cpuPer(server: Measured, operations: number, run: () => Promise<unknown>): Promise<number> {
  const before = await server.cpu()
  await run()
  const after = await server.cpu()
  return (after - before) / operations / 1000
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

/** The mean of the two in the middle, where there are two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return ((sorted[Math.floor(half)] ?? Number.NaN) + (sorted[Math.ceil(half) - 1] ?? Number.NaN)) / 2
}

function swap<A, B>([a, b]: [A, B]): [B, A] {
  return [b, a]
}
