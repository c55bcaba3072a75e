// Peers on other libp2p stacks against the spawned node; needs Go, Rust and Python, as far as they are there.
// npm run test:interop [-- --json]

import { parseArgs } from 'node:util'
import { type BootstrapNode, startNode, temporaryFolder } from './bootstrap-node.ts'
import { type Examples, examples } from './cells/examples.ts'
import { goDiscovery } from './cells/go-discovery.ts'
import { keyTypes } from './cells/key-types.ts'
import { manners } from './cells/manners.ts'
import { type Clients, membership } from './cells/membership.ts'
import { original } from './cells/original.ts'
import { recordAddresses } from './cells/record-addresses.ts'
import { rendezvous } from './cells/rendezvous.ts'
import { whoSeesWhom } from './cells/who-sees-whom.ts'
import { count, createReport, type Report } from './report.ts'
import { type Command, LANGUAGES, type Language, TOOLCHAINS } from './toolchains.ts'

/** Where nobody looks at what was skipped, these have to be there. */
const REQUIRED_IN_CI: readonly Language[] = ['go', 'rust']

const { json } = parseArgs({ options: { json: { type: 'boolean', default: false } } }).values
const report = createReport({ json })
const clients = await buildClients(report, process.env.CI === 'true')
await runMatrix(report, clients)
await examples(report, await buildExamples(report, clients))
if (clients.has('go')) {
  await goDiscovery(report)
}
const failed = count(report.cells, 'failed')
if (!json) {
  console.log(`${count(report.cells, 'passed')} passed, ${failed} failed, ${count(report.cells, 'skipped')} skipped`)
}
process.exitCode = failed > 0 ? 1 : 0

async function buildClients({ skip, fail, try: attempt }: Report, ci: boolean): Promise<Clients> {
  const clients = new Map<Language, Command>()
  for (const language of LANGUAGES) {
    const { stack, version, build } = TOOLCHAINS[language]
    const missing = await version().then(
      () => undefined,
      (error: Error) => error.message,
    )
    if (missing !== undefined) {
      const say = ci && REQUIRED_IN_CI.includes(language) ? fail : skip
      say(`${language} toolchain`, `nothing on ${stack}: ${missing}`)
      continue
    }
    await attempt(`${language} builds its client`, async () => {
      clients.set(language, await build())
      return stack
    })
  }
  return clients
}

async function buildExamples({ try: attempt }: Report, clients: Clients): Promise<Examples> {
  const programs = new Map<Language, Command>()
  for (const language of clients.keys()) {
    await attempt(`examples/${language} builds`, async () => {
      programs.set(language, await TOOLCHAINS[language].buildExample())
    })
  }
  return programs
}

async function runMatrix(report: Report, clients: Clients): Promise<void> {
  await using scope = new AsyncDisposableStack()
  let node: BootstrapNode | undefined
  await report.try('the node starts', async () => {
    node = await startNode(scope, await temporaryFolder(scope))
  })
  if (node === undefined) {
    return
  }
  const { multiaddr, peersFile, stop } = node
  const peers = await membership(report, scope, multiaddr, clients)
  await keyTypes(report, multiaddr, clients)
  await rendezvous(report, multiaddr, clients)
  await recordAddresses(report, clients)
  await whoSeesWhom(report, multiaddr, clients)
  if (clients.has('go')) {
    await manners(report, multiaddr)
    await original(report, peersFile, peers)
  } else {
    report.skip("libp2p manners, and the original's list", 'they are tried with Go')
  }
  await report.try('the node had no error and stops with 0', stop)
}
