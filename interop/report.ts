/** One thing that was tried. */
export interface Cell {
  readonly name: string
  readonly result: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped; of a pass, what is worth knowing. */
  readonly detail: string | undefined
  readonly ms: number
}

export interface Report {
  readonly cells: readonly Cell[]
  /** Tries it and prints a line. What it resolves to is the detail. True when it passed. */
  try(name: string, attempt: () => Promise<unknown>): Promise<boolean>
  skip(name: string, reason: string): void
  fail(name: string, reason: string): void
  /** Prints what sums cells up, for people only. */
  print(text: string): void
}

/** A line for each cell: for people, or JSON. */
export function createReport({ json }: { readonly json: boolean }): Report {
  const cells: Cell[] = []
  function add(cell: Cell): void {
    cells.push(cell)
    process.stdout.write(`${json ? JSON.stringify(cell) : lineOf(cell)}\n`)
  }
  return {
    cells,
    async try(name, attempt) {
      const start = performance.now()
      let result: Cell['result'] = 'passed'
      let detail: string | undefined
      try {
        const said = await attempt()
        detail = typeof said === 'string' ? said : undefined
      } catch (error) {
        result = 'failed'
        detail = error instanceof Error ? error.message : String(error)
      }
      add({ name, result, detail, ms: Math.round(performance.now() - start) })
      return result === 'passed'
    },
    skip: (name, detail) => add({ name, result: 'skipped', detail, ms: 0 }),
    fail: (name, detail) => add({ name, result: 'failed', detail, ms: 0 }),
    print(text) {
      if (!json) {
        process.stdout.write(`${text}\n`)
      }
    },
  }
}

export function count(cells: readonly Cell[], result: Cell['result']): number {
  return cells.filter((cell) => cell.result === result).length
}

const MARKS = { passed: '✓', failed: '✗', skipped: '-' } as const

function lineOf({ name, result, detail, ms }: Cell): string {
  const said = detail === undefined ? '' : `: ${detail}`
  return `${MARKS[result]} ${name}${result === 'skipped' ? ' skipped' : ''}${said}${ms < 1000 ? '' : ` (${(ms / 1000).toFixed(1)} s)`}`
}
