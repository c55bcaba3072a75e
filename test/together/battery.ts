import { parseArgs } from 'node:util'
import { type Figure, tableLine } from '../hostile/report.ts'
import { fifty } from './fifty.ts'
import { publicCrowd } from './public-crowds.ts'

const HELP = `Starts crowds of nodes, with the defaults, and tells how long they take to be connected and how much they ask of their
bootstraps. Exit code 1 when a figure misses its bound.

  npm run test:together -- [--short] [--only ROW,...] [--late fail|warn] [--json]

  --short   fifty at two bootstraps, 200 in 20 subnets and 100 behind one IP; without it, 1,000 in 100 and 300, too
  --only    these rows, of: ROWS
  --late    what a time beyond its bound is, where it may be the machine's. A crowd that has not come together after
            three times the bound is a failure anyway. Default: fail
  --json    one JSON object a figure, one a line
`

interface Row {
  /** Whether it is part of the short form. */
  readonly short: boolean
  readonly run: (name: string, short: boolean) => Promise<Figure[]>
}

const ROWS: Readonly<Record<string, Row>> = {
  'fifty-at-two': { short: true, run: (name) => fifty(name, { alive: 2, dead: 0 }) },
  'fifty-at-one': { short: false, run: (name) => fifty(name, { alive: 1, dead: 0 }) },
  'fifty-one-dead': { short: false, run: (name) => fifty(name, { alive: 1, dead: 1 }) },
  subnets: {
    short: true,
    run: (name, short) => publicCrowd(name, { kind: 'subnets', subnets: short ? 20 : 100 }),
  },
  'one-ip': {
    short: true,
    run: (name, short) => publicCrowd(name, { kind: 'one IP', nodes: short ? 100 : 300 }),
  },
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string' },
      late: { type: 'string', default: 'fail' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP.replace('ROWS', Object.keys(ROWS).join(', ')))
    return 0
  }
  const { short, late } = values
  const only = values.only?.split(',') ?? Object.keys(ROWS).filter((name) => !short || ROWS[name]!.short)
  const unknown = only.find((name) => !(name in ROWS))
  if (unknown !== undefined || !['fail', 'warn'].includes(late)) {
    process.stderr.write(`${unknown === undefined ? '--late is fail or warn' : `no row ${unknown}`}\n`)
    return 2
  }

  const began = performance.now()
  let [missed, warned] = [0, 0]
  for (const name of only) {
    for (const figure of await ROWS[name]!.run(name, short)) {
      const isLate = figure.unit === 's' && !figure.ok
      missed += figure.ok || (isLate && late === 'warn') ? 0 : 1
      warned += isLate && late === 'warn' ? 1 : 0
      console.log(values.json ? JSON.stringify(figure) : tableLine(figure))
    }
  }
  if (!values.json) {
    const seconds = Math.round((performance.now() - began) / 1000)
    console.log(`${missed} missed${warned > 0 ? `, ${warned} late on this machine` : ''}; took ${seconds} s`)
  }
  return missed === 0 ? 0 : 1
}

process.exitCode = await main()
// What is left of the crowd's sockets is not waited for.
process.exit()
