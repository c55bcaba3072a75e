import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { seededRandom } from '../../test/support/random.ts'
import { HELD, isHandedOut, randomAddress, VICTIMS } from '../../test/support/record-addresses.ts'
import { startLines } from '../process.ts'
import type { Report } from '../report.ts'
import type { Clients } from './membership.ts'

/** How many addresses are dialled: those among the generated ones that are handed out. */
const DIALLED = 2000
const SEED = 20_261_124
const LINE_TIMEOUT_MS = 30_000
/** On loopback, in place of the IP that a peer holds, and of any other. */
const [OWN, ANOTHER] = ['127.0.0.1', '127.0.0.77']

/** Addresses of records that would be handed out, dialled by rust-libp2p's own transport: none leads to another IP. */
export async function recordAddresses(report: Report, clients: Clients): Promise<void> {
  const rust = clients.get('rust')
  const name = "rust's transport dials records nowhere but at their peer"
  if (rust === undefined) {
    report.skip(name, 'no toolchain')
    return
  }
  await report.try(name, async () => {
    await using scope = new AsyncDisposableStack()
    const own = await listen(scope, OWN, 0)
    const victim = await listen(scope, ANOTHER, own.port)
    const program = startLines(join(dirname(rust[0]), 'record-addresses'), [])
    scope.defer(async () => void (await program.end()))
    let at = 0
    const dial = async (address: string): Promise<{ taken: boolean; connected: boolean }> => {
      program.tell(onLoopback(address, own.port))
      return JSON.parse(await program.line(at++, LINE_TIMEOUT_MS))
    }

    // What was planted behind an own address does lead there: the victim would be seen.
    const planted = await dial(`/ip4/${HELD[0]}/tcp/4001/ip4/${VICTIMS[0]}/tcp/4001`)
    assert.deepEqual([planted, victim.connections()], [{ taken: true, connected: true }, 1])

    let taken = 0
    for (const address of handedOut(DIALLED)) {
      const outcome = await dial(address)
      taken += outcome.taken ? 1 : 0
      assert.ok(!outcome.taken || outcome.connected, `${address}: dialled where nothing listens`)
      assert.equal(victim.connections(), 1, `${address} led to another IP`)
    }
    assert.ok(taken > DIALLED / 10 && own.connections() === taken, `${taken} taken, ${own.connections()} arrived`)
    return `${DIALLED} addresses, ${taken} dialled, each at its peer`
  })
}

function* handedOut(count: number): Generator<string, undefined> {
  const random = seededRandom(SEED)
  for (let found = 0; found < count; ) {
    const text = normalized(randomAddress(random))
    if (text !== undefined && isHandedOut(text, HELD[0])) {
      found++
      yield text
    }
  }
}

function normalized(text: string): string | undefined {
  try {
    return multiaddr(multiaddr(text).bytes).toString()
  } catch {
    return undefined
  }
}

/** The same address with IPs of loopback, and one port. */
function onLoopback(address: string, port: number): string {
  return address
    .replaceAll(HELD[0], OWN)
    .replaceAll(/\/ip4\/(?!127\.)[\d.]+/g, `/ip4/${ANOTHER}`)
    .replaceAll(/\/(tcp|udp)\/\d+/g, `/$1/${port}`)
}

async function listen(scope: AsyncDisposableStack, host: string, port: number) {
  let count = 0
  const server: Server = createServer((socket) => {
    count++
    socket.on('error', () => {}).destroy()
  })
  server.listen(port, host)
  await once(server, 'listening')
  scope.defer(() => void server.close())
  const bound = server.address()
  assert.ok(typeof bound === 'object' && bound !== null)
  return { port: bound.port, connections: () => count }
}
