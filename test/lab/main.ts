/**
 * Prints the tables of the labs, exit code 1 when a figure misses its bound: `node test/lab/main.ts [days] [draws]`.
 * A week of churn takes a minute or two, and so do 10,000 draws of each way to sit among the honest, and the client's rows.
 */
import { tableLine } from '../hostile/report.ts'
import type { Census } from './census.ts'
import { runClientRows } from './client-rows.ts'
import { drawEclipse, ECLIPSES, type EclipseResult } from './eclipse.ts'
import { missesOf, missesOfEclipse } from './judge.ts'
import { runLab } from './lab.ts'
import { scenarios } from './scenarios.ts'

const days = Number(process.argv[2] ?? 7)
const draws = Number(process.argv[3] ?? 10_000)
const misses: string[] = []

const rows: Array<Record<string, string | number>> = []
for (const scenario of scenarios(days)) {
  const began = performance.now()
  const census = await runLab(scenario)
  misses.push(...missesOf(census, days))
  rows.push({ ...churnRow(census), took: `${((performance.now() - began) / 1000).toFixed(0)} s` })
}
console.table(rows)

const results = ECLIPSES.map((eclipse) => drawEclipse(eclipse, draws))
misses.push(...results.flatMap((result) => missesOfEclipse(result, 0)))
console.table(results.map(eclipseRow))

for (const figure of await runClientRows(days)) {
  console.log(tableLine(figure))
  misses.push(...(figure.ok ? [] : [`${figure.attack}: ${figure.figure} ${figure.value}, not ${figure.bound}`]))
}

console.log(misses.length === 0 ? 'everything within its bounds' : misses.join('\n'))
process.exitCode = misses.length === 0 ? 0 : 1

function churnRow(census: Census): Record<string, string | number> {
  const { name, answers, addresses, planted, alive, longestDead, recall, longestUnseen, lies, believed } = census
  return {
    scenario: name,
    answers,
    addresses,
    planted,
    'alive %': (alive * 100).toFixed(2),
    'longest dead, min': (longestDead / 60_000).toFixed(1),
    'recall %': (recall * 100).toFixed(2),
    'longest unseen, answers': longestUnseen,
    lies,
    believed,
  }
}

function eclipseRow({ layout, place, ages, share, error, fair, alone }: EclipseResult) {
  return {
    'the honest': layout,
    'the attacker': `${place}, ${ages}`,
    'of the answers %': `${(share * 100).toFixed(2)} ± ${(error * 100).toFixed(2)}`,
    'of the groups %': (fair * 100).toFixed(2),
    alone,
  }
}
