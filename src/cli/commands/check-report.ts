import { styleText } from 'node:util'
import { remoteText } from '../../base/remote-text.ts'
import { networkText } from '../client-config.ts'
import type { Report } from './examine.ts'
import type { SiblingReport } from './siblings.ts'

/** The report of `check` for a terminal: the addresses of a bootstrap, and below them a line for each finding. */
export function reportText(report: Report): string {
  const head = report.network === '' ? report.addresses : [...report.addresses, `in ${networkText(report.network)}`]
  return [...head, ...findings(report).map((line) => `  ${line}`), ''].join('\n')
}

function findings(report: Report): string[] {
  const { error, actualPeerId, answeredIn, peers, dialled, siblings } = report
  if (error !== undefined) {
    const who = actualPeerId === undefined ? '' : ` (it is ${actualPeerId})`
    return [bad(`${remoteText(error.message)}${who}`), `  ${error.advice}`]
  }
  return [
    good(`reachable, has the right PeerId, answered in ${answeredIn} ms`),
    good(`lists ${count(peers ?? 0, 'peer')}`),
    ...(dialled === undefined ? [] : [deadOrAlive(dialled)]),
    ...listing(report),
    ...(siblings === undefined ? [] : siblingFindings(siblings)),
  ]
}

function listing({ listed, observed, registrations = [] }: Report): string[] {
  const outcomes = registrations.map(
    ({ address, status, code, message }) =>
      `  ${remoteText(address)}: ${status === 'listed' ? 'listed' : `${remoteText(message)} (${remoteText(code)})`}`,
  )
  if (listed) {
    return [
      good('lists this machine'),
      ...outcomes,
      ...(isLoopback(observed)
        ? [neutral('was asked over loopback: run check on another machine to see whether it can be reached from there')]
        : []),
    ]
  }
  return [
    warning('does not list this machine'),
    ...(observed === undefined ? [] : [`  it sees this machine at ${remoteText(observed)}`]),
    ...(registrations.length === 0
      ? ['  this machine listens on no port in the address family it is seen in']
      : outcomes),
  ]
}

function siblingFindings(siblings: readonly SiblingReport[]): string[] {
  if (siblings.length === 0) {
    return [neutral('names no sibling: new nodes that know only this bootstrap cannot join while it is down')]
  }
  const fine = siblings.filter(({ ok, namesBack }) => ok && namesBack).length
  const head = `siblings that answer and name it back: ${fine} of ${siblings.length}`
  return [fine === siblings.length ? good(head) : warning(head), ...siblings.map((each) => `  ${siblingText(each)}`)]
}

function siblingText({ address, answeredIn, namesBack, error }: SiblingReport): string {
  const what =
    error !== undefined
      ? `${remoteText(error.message)} (${remoteText(error.code)})`
      : `answered in ${answeredIn} ms${namesBack ? '' : ', but does not name this bootstrap: add it to --sibling there'}`
  return `${remoteText(address)}: ${what}`
}

function deadOrAlive({ alive, dead }: NonNullable<Report['dialled']>): string {
  const text = `${alive} of the ${alive + dead.length} peers that it lists answer`
  return dead.length === 0 ? good(text) : warning(`${text}; these do not: ${dead.join(' ')}`)
}

function isLoopback(observed: string | undefined): boolean {
  return observed !== undefined && /^\/(ip4\/127\.|ip6\/::1\/)/.test(observed)
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`

const good = (text: string) => `${styleText('green', '✔')} ${text}`
const neutral = (text: string) => `- ${text}`
const warning = (text: string) => `${styleText('yellow', '!')} ${text}`
const bad = (text: string) => `${styleText('red', '✖')} ${text}`
