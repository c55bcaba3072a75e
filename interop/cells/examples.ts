import assert from 'node:assert/strict'
import { startNode, temporaryFolder } from '../bootstrap-node.ts'
import { freePort, startExample } from '../example.ts'
import { startJsPeer } from '../peer.ts'
import type { Report } from '../report.ts'
import type { Command, Language } from '../toolchains.ts'
import { asksAgain, isQuietWithEnough } from './asking-again.ts'

export type Examples = ReadonlyMap<Language, Command>

const NETWORK = 'examples'
/** 15 s are promised. This is for a machine that does other things; the times are in the report. */
const MEET_TIMEOUT_MS = 60_000

/** The programs of `examples/`, as a reader starts them. */
export async function examples(report: Report, programs: Examples): Promise<void> {
  for (const [language, program] of programs) {
    await report.try(`two nodes of examples/${language}, started at once, meet`, () => meet([program, program]))
  }
  if (programs.size > 1) {
    const languages = [...programs.keys()].join(', ')
    await report.try(`a node of each example (${languages}), started at once, meet`, () => meet([...programs.values()]))
  }
  const rules = [...programs].flatMap(([language, program]) => [
    report.try(`examples/${language} asks again after 0.5, 1, 2 … s, and waits for retryAfter`, () =>
      asksAgain(program),
    ),
    report.try(`examples/${language} is quiet with 8 peers, and asks again when it loses some`, () =>
      isQuietWithEnough(program),
    ),
  ])
  await Promise.all(rules)
}

/** At a node with default settings that knows no peer. Each is connected to all the others when it ends. */
async function meet(programs: readonly Command[]): Promise<string> {
  await using scope = new AsyncDisposableStack()
  const { multiaddr } = await startNode(scope, await temporaryFolder(scope))
  const ports = await Promise.all(programs.map(freePort))
  const start = performance.now()
  const nodes = programs.map((program, n) => startExample(scope, program, multiaddr, NETWORK, ports[n]!))
  const met = nodes.map(async (node) => {
    const peerIds = await node.connected(programs.length - 1, MEET_TIMEOUT_MS)
    return { peerIds, seconds: (performance.now() - start) / 1000 }
  })
  const found = await Promise.all(met)

  // The node proved which PeerId is at which port.
  const witness = await startJsPeer(scope, { bootstrap: multiaddr, network: NETWORK })
  const listed = ports.map((port) => {
    const record = witness.answer.find(({ address }) => address.includes(`/tcp/${port}/p2p/`))
    return record?.address.split('/p2p/')[1] ?? assert.fail(`port ${port} is not listed`)
  })
  for (const [n, { peerIds }] of found.entries()) {
    const others = listed.filter((_, other) => other !== n)
    assert.deepEqual([...peerIds].sort(), others.sort())
  }
  return `after ${found.map(({ seconds }) => seconds.toFixed(1)).join(' s, ')} s`
}
