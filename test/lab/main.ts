/** Prints the table of the churn lab: `node test/lab/main.ts [days]`. A week takes a minute or two. */
import type { Census } from './census.ts'
import { runLab } from './lab.ts'
import { scenarios } from './scenarios.ts'

const days = Number(process.argv[2] ?? 7)
const rows: Array<Record<string, string | number>> = []
for (const scenario of scenarios(days)) {
  const began = performance.now()
  const census = await runLab(scenario)
  rows.push({ ...row(census), took: `${((performance.now() - began) / 1000).toFixed(0)} s` })
}
console.table(rows)

function row(census: Census): Record<string, string | number> {
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
