import assert from 'node:assert/strict'
import { join } from 'node:path'
import { packageVersion } from '../bootstrap-node.ts'
import { run } from '../process.ts'
import type { Report } from '../report.ts'
import { GO_TARGET } from '../toolchains.ts'

const HOSTS = 1000
const FLIGHT_TIMEOUT_MS = 5 * 60_000
const MANNERS_TIMEOUT_MS = 2 * 60_000

/** Today's, and that of kubo 0.30 (2024), as nodes out there still are. */
const RELEASES = [
  ['0.51.0', GO_TARGET],
  ['0.36.2', join(GO_TARGET, 'kubo-0.30')],
] as const

/** What a go-libp2p host expects of any node, as the commands in `interop/go` ask for it. */
export async function manners(report: Report, bootstrap: string): Promise<void> {
  await report.try(`${HOSTS} Go hosts send negotiation, request and half-close in one flight`, async () => {
    const args = ['--bootstrap', bootstrap, '--hosts', String(HOSTS)]
    const tally = JSON.parse(await run(join(GO_TARGET, 'flight'), args, { timeout: FLIGHT_TIMEOUT_MS }))
    assert.deepEqual(tally, { hosts: HOSTS, oneFlight: HOSTS, answered: HOSTS }, JSON.stringify(tally))
    return `${tally.answered} of ${tally.hosts} answered`
  })

  const args = ['--bootstrap', bootstrap, '--agent', `bootstrap-peer/${await packageVersion()}`]
  for (const [release, folder] of RELEASES) {
    let said = ''
    const ran = await report.try(`a host on go-libp2p ${release} comes to visit`, async () => {
      said = await run(join(folder, 'manners'), args, { timeout: MANNERS_TIMEOUT_MS })
    })
    for (const line of ran ? said.trim().split('\n') : []) {
      const { name, error } = JSON.parse(line)
      await report.try(`go-libp2p ${release}: ${name}`, async () => assert.ok(error === undefined, error))
    }
  }
}
