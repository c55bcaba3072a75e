import { styleText } from 'node:util'
import { remoteText } from '../../log-text.ts'
import type { Invocation } from '../arguments.ts'
import { startClientNode, typedBootstraps } from '../client-node.ts'
import { examine, type Report } from '../doctor.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'

/** A doctor for bootstraps, and for how they see this machine. */
export async function run({ options, operands }: Invocation): Promise<ExitCode> {
  const bootstraps = await typedBootstraps(operands)
  const node = await startClientNode(options)
  const network = options.get('network') ?? ''
  let reports: Report[]
  try {
    reports = await Promise.all(
      [...bootstraps.values()].map((each) => examine(node, each, { network, dial: options.has('dial') })),
    )
  } finally {
    await node.stop()
  }
  const ok = reports.every((report) => report.ok)
  const listed = reports.every((report) => report.listed === true)
  process.stdout.write(
    options.has('json')
      ? `${JSON.stringify({ ok, listed, peerId: node.peerId.toString(), network, bootstraps: reports })}\n`
      : reports.map(describe).join('\n'),
  )
  return !ok ? EXIT.bootstrap : listed || !options.has('require-listed') ? EXIT.ok : EXIT.notListed
}

function describe(report: Report): string {
  return [`${report.addresses.join('\n')}`, ...findings(report).map((line) => `  ${line}`), ''].join('\n')
}

function findings(report: Report): string[] {
  const { error, actualPeerId, answeredIn, observed, peers, listed, registrations = [], dialled } = report
  if (error !== undefined) {
    const who = actualPeerId === undefined ? '' : ` (it is ${actualPeerId})`
    return [bad(`${remoteText(error.message)}${who}`), `  ${error.advice}`]
  }
  return [
    good(`reachable, has the right PeerId, answered in ${answeredIn} ms`),
    good(`hands out ${peers} ${peers === 1 ? 'peer' : 'peers'}`),
    ...(dialled === undefined ? [] : [deadOrAlive(dialled)]),
    listed ? good('lists this machine') : warning('does not list this machine'),
    ...(listed || observed === undefined ? [] : [`  it sees this machine at ${remoteText(observed)}`]),
    ...registrations.map(
      ({ address, status, code, message }) =>
        `  ${remoteText(address)}: ${status === 'listed' ? 'listed' : `${remoteText(message)} (${remoteText(code)})`}`,
    ),
  ]
}

function deadOrAlive({ alive, dead }: NonNullable<Report['dialled']>): string {
  const text = `${alive} of the ${alive + dead.length} it hands out answer`
  return dead.length === 0 ? good(text) : warning(`${text}; these do not: ${dead.join(' ')}`)
}

const good = (text: string) => `${styleText('green', '✔')} ${text}`
const warning = (text: string) => `${styleText('yellow', '!')} ${text}`
const bad = (text: string) => `${styleText('red', '✖')} ${text}`
