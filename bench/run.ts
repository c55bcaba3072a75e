// What a join costs, against a stock libp2p node that answers a constant. docs/performance.md says how to read it.
//   npm run bench -- [--short] [--json] [--only <part of the name of a row>]… [--unoptimized]
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { Measurement, Row, Scale, Skipped } from './measure.ts'
import { measurements } from './rows/all.ts'
import { lineOf } from './table.ts'

const SHORT: Scale = {
  pairs: 2,
  times: 3,
  known: [10_000],
  snapshots: 2,
  identities: 2000,
  crowd: 2000,
  build: false,
}
const FULL: Scale = {
  pairs: 7,
  times: 15,
  known: [10_000, 100_000, 1_000_000],
  snapshots: 5,
  identities: 50_000,
  crowd: 40_000,
  build: true,
}

const { short, json, only, unoptimized } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    unoptimized: { type: 'boolean', default: false },
  },
}).values
const scale = short ? SHORT : FULL
const machine = {
  node: process.version,
  cpu: `${cpus().length} × ${cpus()[0]?.model}`,
  /** What else ran: the load before we began. */
  loadBefore: loadavg()[0],
  processes: Number(readFileSync('/proc/loadavg', 'utf8').split(/[ /]/)[3]),
}
const rows: Array<Row | Skipped> = []
for (const measurement of chosen()) {
  progress(measurement.rows.find(isWanted)!)
  const measured = (await measurement.measure(scale, isWanted)).filter(({ name }) => isWanted(name))
  progress('')
  rows.push(...measured)
  if (!json) {
    console.log(measured.map(lineOf).join('\n'))
  }
}
if (json) {
  console.log(JSON.stringify({ machine: { ...machine, loadAfter: loadavg()[0] }, short, rows }))
} else {
  console.log(`\n${machine.cpu}, Node ${machine.node}; load before ${machine.loadBefore}, after ${loadavg()[0]}`)
}
process.exit(0)

function chosen(): readonly Measurement[] {
  const all = measurements(scale, { unoptimized })
  const found = all.filter(({ rows }) => rows.some(isWanted))
  if (found.length === 0) {
    console.error(`No row is called like that. There are:\n${all.flatMap(({ rows }) => rows).join('\n')}`)
    process.exit(2)
  }
  return found
}

function isWanted(row: string): boolean {
  return only.length === 0 || only.some((part) => row.includes(part))
}

/** Only where somebody looks at it. */
function progress(row: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K${row === '' ? '' : `… ${row}`}`)
  }
}
