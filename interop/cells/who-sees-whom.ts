import assert from 'node:assert/strict'
import { startClient, startJsPeer } from '../peer.ts'
import { rendezvousCommand, startJsRendezvous, startRendezvous } from '../rendezvous-program.ts'
import type { Report } from '../report.ts'
import { REGISTERING, type Registering, STACKS, type Stack, sees } from '../who-sees-whom.ts'
import type { Clients } from './membership.ts'

const NETWORK = 'who-sees-whom'
/** More than there are. */
const LIMIT = 100

interface Registered {
  readonly peerId: string
  readonly address: string
}

/** Who is handed whom through `/rendezvous/1.0.0`: each stack as it is, each way of registering. One table. */
export async function whoSeesWhom(report: Report, bootstrap: string, clients: Clients): Promise<void> {
  await using scope = new AsyncDisposableStack()
  const isThere = (stack: Stack) => stack === 'javascript' || clients.has(stack)
  const stacks = (Object.keys(STACKS) as Stack[]).filter(isThere)
  const rows = REGISTERING.filter(({ stack }) => isThere(stack))
  const registered = new Map<Registering, Registered>()
  const ready = await report.try('who sees whom: each stack registers in each way that it has', async () => {
    for (const row of rows) {
      registered.set(row, await register(scope, bootstrap, clients, row))
    }
  })
  if (!ready) {
    return
  }
  const seen = new Map<Stack, readonly Registered[]>()
  for (const stack of stacks) {
    await report.try(`who sees whom: a client in ${STACKS[stack]} that never registered reads its answer`, async () => {
      seen.set(stack, await discover(scope, bootstrap, clients, stack))
    })
  }
  const table: string[][] = [['registered', ...stacks.map((stack) => `for ${STACKS[stack]}`)]]
  for (const row of rows) {
    const name = `${STACKS[row.stack]} by ${row.what.replaceAll('`', '')}`
    const cells = stacks.map((stack) => seenIn(seen.get(stack) ?? [], registered.get(row)!))
    table.push([name, ...cells.map((isSeen, n) => cellOf(isSeen, stacks[n]!, row))])
    await report.try(`who sees whom: ${name}`, async () => {
      for (const [n, stack] of stacks.entries()) {
        const expected = sees(stack, row)
        assert.equal(
          cells[n],
          expected === true,
          expected === true
            ? `${STACKS[stack]} has to see it, and does not`
            : `${STACKS[stack]} sees it: take the no out of interop/who-sees-whom.ts (${expected.issue})`,
        )
      }
    })
  }
  report.print(aligned(table))
}

async function register(
  scope: AsyncDisposableStack,
  bootstrap: string,
  clients: Clients,
  { stack, by }: Registering,
): Promise<Registered> {
  if (by !== 'rendezvous') {
    const init = { bootstrap, network: NETWORK }
    return stack === 'javascript'
      ? await startJsPeer(scope, init)
      : await startClient(scope, [...clients.get(stack)!, ...(by === 'identify' ? ['--identify', 'record'] : [])], init)
  }
  if (stack === 'javascript') {
    const { client, own, address } = await startJsRendezvous(scope, bootstrap)
    await client.register(NETWORK, [address])
    return { peerId: own.split('/p2p/')[1]!, address }
  }
  const program = await startRendezvous(scope, rendezvousCommand(stack, clients.get(stack)!), bootstrap)
  const { error } = await program.do(`register ${NETWORK} 7200`)
  assert.equal(error, undefined)
  return program
}

async function discover(
  scope: AsyncDisposableStack,
  bootstrap: string,
  clients: Clients,
  stack: Stack,
): Promise<Registered[]> {
  if (stack === 'javascript') {
    const { client } = await startJsRendezvous(scope, bootstrap)
    const { peers } = await client.discover(NETWORK)
    return peers.flatMap(({ id, multiaddrs }) => multiaddrs.map((address) => ({ peerId: id, address })))
  }
  const program = await startRendezvous(scope, rendezvousCommand(stack, clients.get(stack)!), bootstrap)
  const { peers, error } = await program.do(`discover ${NETWORK} ${LIMIT}`)
  assert.equal(error, undefined)
  return peers.flatMap(({ peerId, addresses }: { peerId: string; addresses: string[] }) =>
    addresses.map((address) => ({ peerId, address })),
  )
}

/** rust-libp2p writes its PeerId behind the addresses that it learned of itself. */
function seenIn(found: readonly Registered[], { peerId, address }: Registered): boolean {
  return found.some((each) => each.peerId === peerId && each.address.replace(`/p2p/${peerId}`, '') === address)
}

function cellOf(isSeen: boolean, asker: Stack, row: Registering): string {
  const expected = sees(asker, row)
  return isSeen ? 'yes' : `no${expected === true ? '' : `: ${expected.issue.replace('libp2p/', '')}`}`
}

function aligned(table: readonly (readonly string[])[]): string {
  const widths = table[0]!.map((_, n) => Math.max(...table.map((row) => row[n]!.length)))
  return table.map((row) => `  ${row.map((cell, n) => cell.padEnd(widths[n]!)).join('  ')}`.trimEnd()).join('\n')
}
