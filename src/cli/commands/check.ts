import type { Libp2p } from 'libp2p'
import { stringifyHarmless } from '../../base/harmless-json.ts'
import { chosenBootstraps } from '../chosen-bootstraps.ts'
import { clientConfig, networksToAsk } from '../client-config.ts'
import { startClientNode } from '../client-node.ts'
import type { Invocation } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { reportText } from './check-report.ts'
import { type ExamineOptions, examine, lostReport, type Report } from './examine.ts'

/** Finds what is wrong with bootstraps, and with how they see this machine. */
export async function run(invocation: Invocation): Promise<ExitCode> {
  const { options, operands } = invocation
  const config = clientConfig(invocation)
  const networks = networksToAsk(config)
  const { found, lost, local } = await chosenBootstraps(operands, config, 'check')
  const node = await startClientNode(options, found.keys())
  const how = { dial: options.has('dial'), local }
  let examined: Report[][]
  try {
    examined = await Promise.all([...found.values()].map((each) => examineIn(networks, node, each, how)))
  } finally {
    await node.stop()
  }
  const reports = [...examined.flat(), ...lost.map((each) => lostReport(each, networks[0]!))]
  const ok = reports.every((report) => report.ok)
  const listed = reports.every((report) => report.listed === true)
  process.stdout.write(
    options.has('json')
      ? `${stringifyHarmless({ ok, listed, peerId: node.peerId.toString(), networks, bootstraps: reports })}\n`
      : reports.map(reportText).join('\n'),
  )
  return !ok ? EXIT.bootstrap : listed || !options.has('require-listed') ? EXIT.ok : EXIT.notListed
}

/** One network after the other; a bootstrap that does not answer is not asked again. */
async function examineIn(
  networks: readonly string[],
  node: Libp2p,
  bootstrap: readonly string[],
  how: Pick<ExamineOptions, 'dial' | 'local'>,
): Promise<Report[]> {
  const reports: Report[] = []
  for (const network of networks) {
    const report = await examine(node, bootstrap, { ...how, network, siblings: reports.length === 0 })
    reports.push(report)
    if (!report.ok) {
      break
    }
  }
  return reports
}
