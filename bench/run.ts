// What a join costs, against a stock libp2p node that answers a constant. docs/performance.md says how to read it.
//   npm run bench -- [--short] [--json]
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import type { Row } from './measure.ts'
import { coldJoin, joinsByKnownPeers, type Scale, warm } from './rows.ts'

const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
})
const scale: Scale = values.short ? { pairs: 2, times: 3, known: 10_000 } : { pairs: 7, times: 15, known: 1_000_000 }
const machine = {
  node: process.version,
  cpu: `${cpus().length} × ${cpus()[0]?.model}`,
  /** What else ran: the load before we began. */
  loadBefore: loadavg()[0],
  processes: Number(readFileSync('/proc/loadavg', 'utf8').split(/[ /]/)[3]),
}

const rows: Row[] = []
for (const measure of [
  () => coldJoin(scale, false),
  () => coldJoin(scale, true),
  () => warm(scale, 'ask'),
  () => warm(scale, 'renewal'),
  () => joinsByKnownPeers(scale),
]) {
  const measured = [await measure()].flat()
  rows.push(...measured)
  if (!values.json) {
    console.log(measured.map(line).join('\n'))
  }
}
if (values.json) {
  console.log(JSON.stringify({ machine: { ...machine, loadAfter: loadavg()[0] }, rows }))
} else {
  console.log(`\n${machine.cpu}, Node ${machine.node}; load before ${machine.loadBefore}, after ${loadavg()[0]}`)
}
process.exit(0)

function line({ name, unit, ours, baseline, ratio, bound }: Row): string {
  const figure = `${ours.toFixed(ours < 100 ? 3 : 0)} ${unit}`
  const against = baseline === undefined ? '' : `against ${baseline.toFixed(3)}: ${ratio!.toFixed(2)}`
  const missed = bound !== undefined && (ratio ?? ours) > bound
  const wanted = bound === undefined ? '' : `wanted ${bound}${missed ? ', MISSED' : ''}`
  return `${name.padEnd(48)} ${figure.padStart(16)}  ${against.padEnd(22)} ${wanted}`
}
