import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startLines } from '../process.ts'
import {
  COMMAND_TIMEOUT_MS,
  type RendezvousProgram,
  rendezvousCommand,
  START_TIMEOUT_MS,
  startJsRendezvous,
  startRendezvous,
} from '../rendezvous-program.ts'
import type { Report } from '../report.ts'
import { type Command, LANGUAGES } from '../toolchains.ts'
import type { Clients } from './membership.ts'

/** The shortest time to live that the node grants is a minute. */
const EXPIRY_TIMEOUT_MS = 75_000
const SHORT_TTL_S = 60

/** `/rendezvous/1.0.0` with the rendezvous code of other stacks, unmodified. */
export async function rendezvous(report: Report, bootstrap: string, clients: Clients): Promise<void> {
  for (const language of LANGUAGES) {
    const client = clients.get(language)
    if (client === undefined) {
      report.skip(`${language}'s own rendezvous client`, 'no toolchain')
    } else {
      await ownClient(report, language, rendezvousCommand(language, client), bootstrap)
    }
  }
  const rust = clients.get('rust')
  if (rust === undefined) {
    report.skip("rust-libp2p's rendezvous server, and what its client lets expire", 'no toolchain')
  } else {
    await report.try("rust's rendezvous client lets expire what the node lets expire", () =>
      expires(rendezvousCommand('rust', rust), bootstrap),
    )
    await report.try("our rendezvous client at rust's rendezvous server", () =>
      ourClient([join(dirname(rust[0]), 'rendezvous-server')]),
    )
  }
}

async function ownClient(report: Report, language: string, command: Command, bootstrap: string): Promise<void> {
  await report.try(`${language}'s own rendezvous client registers, discovers, pages and unregisters`, async () => {
    await using scope = new AsyncDisposableStack()
    const ns = `rendezvous-${language}`
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => startRendezvous(scope, command, bootstrap)))
    assert.ok(a && b && c)

    assert.deepEqual(await c.do(`discover ${ns} 10`), { peers: [] })
    for (const peer of [a, b]) {
      assert.deepEqual(await peer.do(`register ${ns} 7200`), { ttl: 7200 })
    }
    assertFound(await c.do(`discover ${ns} 10`), [a, b])
    assertFound(await c.do(`more ${ns} 10`), [])
    assert.deepEqual(await c.do(`register ${ns} 7200`), { ttl: 7200 })
    assertFound(await c.do(`more ${ns} 10`), [c])

    const pages = [await a.do(`discover ${ns} 1`), await a.do(`more ${ns} 1`), await a.do(`more ${ns} 1`)]
    assert.ok(pages.every(({ peers }) => peers.length === 1))
    assertFound({ peers: pages.flatMap(({ peers }) => peers) }, [a, b, c])
    assertFound(await a.do(`more ${ns} 1`), [])

    await b.do(`unregister ${ns}`)
    const deadline = performance.now() + COMMAND_TIMEOUT_MS
    // There is no answer to wait for.
    while ((await a.do(`discover ${ns} 10`)).peers.length === 3 && performance.now() < deadline) {
      await delay(50)
    }
    assertFound(await a.do(`discover ${ns} 10`), [a, c])
    const refused = await a.do(`register ${ns} 259201`)
    assert.match(refused.error, /ttl/i)
  })
}

/** The behaviour itself times what it discovered, by the time to live that the node told it; the node forgets as well. */
async function expires(command: Command, bootstrap: string): Promise<void> {
  await using scope = new AsyncDisposableStack()
  const [a, b] = await Promise.all([1, 2].map(() => startRendezvous(scope, command, bootstrap)))
  assert.ok(a && b)
  await a.do(`register expiry ${SHORT_TTL_S}`)
  assertFound(await b.do('discover expiry 10'), [a])
  assert.deepEqual(await b.do('expired', EXPIRY_TIMEOUT_MS), { peerId: a.peerId })
  // Its clock started a moment before the node's.
  const deadline = performance.now() + COMMAND_TIMEOUT_MS
  while ((await b.do('discover expiry 10')).peers.length > 0) {
    assert.ok(performance.now() < deadline, 'the node still hands it out')
    await delay(100)
  }
}

async function ourClient(command: Command): Promise<string> {
  await using scope = new AsyncDisposableStack()
  const server = startLines(command[0], command.slice(1))
  scope.defer(async () => void (await server.end()))
  const { address: point } = JSON.parse(await server.line(0, START_TIMEOUT_MS))
  const peers = await Promise.all([1, 2, 3].map(() => startJsRendezvous(scope, point)))
  for (const { client, address } of peers) {
    assert.equal(await client.register('ours', [address], { ttl: 100_000 }), 100_000)
  }
  const [{ client }] = peers as [(typeof peers)[0]]
  const first = await client.discover('ours', { limit: 2 })
  const rest = await client.discover('ours', { limit: 2, cookie: first.cookie })
  const found = [...first.peers, ...rest.peers]
  assert.deepEqual(
    found.map(({ id, multiaddrs }) => `${multiaddrs}/p2p/${id}`).sort(),
    peers.map(({ own }) => own).sort(),
  )
  await client.unregister('ours')
  const deadline = performance.now() + COMMAND_TIMEOUT_MS
  while ((await client.discover('ours')).peers.length > 2 && performance.now() < deadline) {
    await delay(50)
  }
  assert.equal((await client.discover('ours')).peers.length, 2)
  await assert.rejects(client.register('ours', [peers[0]!.address], { ttl: 60_000 }), { status: 'E_INVALID_TTL' })
  return 'libp2p-rendezvous 0.18'
}

/** In any order, as each reader begins somewhere else; each at its own address. */
function assertFound(
  {
    peers,
    error,
  }: { readonly peers?: ReadonlyArray<{ peerId: string; addresses: string[] }>; readonly error?: string },
  expected: readonly RendezvousProgram[],
): void {
  assert.equal(error, undefined)
  assert.deepEqual(
    peers?.map(({ peerId, addresses }) => `${peerId} ${addresses}`).sort(),
    expected.map(({ peerId, address }) => `${peerId} ${address}`).sort(),
  )
}
