/**
 * Prints the tables of the labs, exit code 1 when a figure misses its bound: `node test/lab/main.ts [days] [draws]`.
 * A week of churn takes a minute or two, the same with sessions as they are in deployed networks, by age and by a fixed
 * interval, two, a crowd that is too large one, 10,000 draws of each way to sit among the honest a minute or two, and a
 * week of first pages of `/rendezvous/1.0.0` a quarter of one.
 */
import type { Census } from './census.ts'
import { type CrowdResult, runCrowd } from './crowd.ts'
import { drawEclipse, ECLIPSES, type EclipseResult } from './eclipse.ts'
import { drawFirstPages, type FirstPageResult, missesOfFirstPages } from './first-page.ts'
import { missesOf, missesOfComparison, missesOfCrowd, missesOfEclipse, missesOfWeek } from './judge.ts'
import { runLab } from './lab.ts'
import { CROWD, comparisons, scenarios } from './scenarios.ts'

const days = Number(process.argv[2] ?? 7)
const draws = Number(process.argv[3] ?? 10_000)
const misses: string[] = []

const rows: Array<Record<string, string | number>> = []
for (const scenario of scenarios(days)) {
  const began = performance.now()
  const census = await runLab(scenario)
  misses.push(...missesOf(census, days), ...(days === 7 ? missesOfWeek(census) : []))
  rows.push({ ...churnRow(census), took: `${((performance.now() - began) / 1000).toFixed(0)} s` })
}
console.table(rows)

const comparisonRows: Array<Record<string, string | number>> = []
for (const { shape, leastGain, ...row } of comparisons(days)) {
  const [byAge, fixed] = [await runLab(row.byAge), await runLab(row.fixed)]
  misses.push(...missesOfComparison(byAge, fixed, leastGain))
  comparisonRows.push(comparisonRow(shape, byAge, fixed))
}
console.table(comparisonRows)

const crowd = await runCrowd(CROWD)
misses.push(...missesOfCrowd(crowd))
console.table([crowdRow(crowd)])

const results = ECLIPSES.map((eclipse) => drawEclipse(eclipse, draws))
misses.push(...results.flatMap((result) => missesOfEclipse(result, 0)))
console.table(results.map(eclipseRow))

const firstPages = await drawFirstPages({ hours: days * 24, identities: 1000, readers: draws })
misses.push(...missesOfFirstPages(firstPages))
console.table([firstPageRow(firstPages)])

console.log(misses.length === 0 ? 'everything within its bounds' : misses.join('\n'))
process.exitCode = misses.length === 0 ? 0 : 1

function comparisonRow(shape: number, byAge: Census, fixed: Census): Record<string, string | number> {
  return {
    'sessions of 24 h, shape': shape,
    'dead %, by age': ((1 - byAge.alive) * 100).toFixed(3),
    'dead %, each 15 min': ((1 - fixed.alive) * 100).toFixed(3),
    'fewer %': ((1 - (1 - byAge.alive) / (1 - fixed.alive)) * 100).toFixed(1),
    dials: (byAge.dials / fixed.dials).toFixed(3),
    'longest dead, min': (byAge.longestDead / 60_000).toFixed(1),
  }
}

function crowdRow({ name, allListedAfter, least, most, status, oldest }: CrowdResult): Record<string, string> {
  return {
    crowd: name,
    'the last eligible after, min': (allListedAfter / 60_000).toFixed(0),
    'eligible, % of the time': `${(least * 100).toFixed(1)} to ${(most * 100).toFixed(1)}`,
    'the status, %': (status * 100).toFixed(1),
    'oldest proof, min': (oldest / 60_000).toFixed(1),
  }
}

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

function firstPageRow({ share, shareOfFirst, fair, most }: FirstPageResult) {
  return {
    'of the first pages %': (share * 100).toFixed(2),
    'of their first places %': (shareOfFirst * 100).toFixed(2),
    'of the groups %': (fair * 100).toFixed(2),
    'most on one page of 20': most,
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
