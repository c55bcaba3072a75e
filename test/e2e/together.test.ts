import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { TARGET } from '../../src/client/keeper-link.ts'
import { startFakeBootstrap } from '../client/fake-bootstrap.ts'
import { deadBootstrap, startBootstrap, startSiblings } from '../support/bootstraps.ts'
import { type CliProcess, startCli } from '../support/cli-process.ts'
import { connectedGraph, graphOf } from '../support/connected-graph.ts'
import { lastFirst, type Scope } from '../support/last-first.ts'
import { machineTime } from '../support/machine-time.ts'
import { type ReadmeNode, type ReadmeNodeInit, startReadmeNode } from '../support/readme-node.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/wait.ts'

/** What a node may find in its configuration. */
const LAYOUTS: Readonly<Record<string, (scope: Scope) => Promise<string[]>>> = {
  'two bootstraps': twoBootstraps,
  'one bootstrap': async (scope) => (await startBootstrap(scope)).multiaddrs,
  'one of two bootstraps dead': async (scope) => [await deadBootstrap(), ...(await startBootstrap(scope)).multiaddrs],
}

// One after the other: each of them is about time.
describe('nodes that start together, with the defaults', () => {
  for (const [layout, bootstrapsOf] of Object.entries(LAYOUTS)) {
    for (const { count, within } of [
      { count: 3, within: 5000 },
      { count: 12, within: 15_000 },
    ]) {
      it(`are connected within ${within / 1000} s: ${count}, ${layout}`, async (t) => {
        const scope = lastFirst(t)
        const bootstraps = await bootstrapsOf(scope)
        const inits = Array.from({ length: count }, () => ({ bootstraps }))
        const { took } = await startTogether(scope, inits, within)
        t.diagnostic(`connected after ${took.toFixed(0)} ms`)
      })
    }
  }

  it('are one graph within 15 s when each half knows another one of two siblings', async (t) => {
    const scope = lastFirst(t)
    const siblings = await startSiblings(scope)
    const inits = siblings.flatMap(({ multiaddrs: bootstraps }) => Array.from({ length: 3 }, () => ({ bootstraps })))
    const { took } = await startTogether(scope, inits, 15_000)
    t.diagnostic(`connected after ${took.toFixed(0)} ms`)
  })

  it('are connected within 15 s as six processes of the CLI, two bootstraps', async (t) => {
    const scope = lastFirst(t)
    const bootstraps = await twoBootstraps(scope)
    const cwd = await temporaryFolder(scope)
    const joined = Array.from({ length: 6 }, () => startCli(scope, ['join', ...bootstraps], { cwd }))
    await until(() => joined.every(({ lines }) => lines.length > 0), 'each has said something', 40_000)
    const clock = machineTime([process.pid, ...joined.map(({ pid }) => pid)])
    const took = await connectedGraph(() => joined.map(nodeOf), { target: TARGET, within: 15_000, clock })
    t.diagnostic(`connected ${took.toFixed(0)} ms after the first line of the last one`)
  })
})

describe('nodes that remember each other and restart together, with the defaults', () => {
  it('are connected within 10 s at a bootstrap that lost its list', async (t) => {
    const scope = lastFirst(t)
    const { nodes, bootstrap } = await earlierRun(scope, 4)
    const emptied = await startBootstrap(scope, bootstrap)
    assert.equal(emptied.status.registrationCount, 0)
    const { multiaddrs: bootstraps } = emptied
    const inits = nodes.map((node) => ({ ...node, bootstraps }))
    const { took } = await startTogether(scope, inits, 10_000)
    t.diagnostic(`connected after ${took.toFixed(0)} ms`)
  })

  it('are connected within 10 s at a bootstrap that answers with an empty list for ever', async (t) => {
    const scope = lastFirst(t)
    const { nodes } = await earlierRun(scope, 4)
    let answers = 0
    const liar = await startFakeBootstrap(() => {
      answers++
      return '[]\n'
    })
    scope.after(() => liar.stop())
    const bootstraps = liar.getMultiaddrs().map(String)
    const inits = nodes.map((node) => ({ ...node, bootstraps }))
    const { took } = await startTogether(scope, inits, 10_000)
    t.diagnostic(`connected after ${took.toFixed(0)} ms`)
    assert.ok(answers >= nodes.length, 'it was asked')
  })
})

async function twoBootstraps(scope: Scope): Promise<string[]> {
  const both = await Promise.all([startBootstrap(scope), startBootstrap(scope)])
  return both.flatMap(({ multiaddrs }) => multiaddrs)
}

/**
 * Starts nodes all at once, and waits until they are connected. `took` is in ms, from before the first one's start, without
 * the time in which other processes had the core.
 */
async function startTogether(
  scope: Scope,
  inits: readonly ReadmeNodeInit[],
  within: number,
): Promise<{ readonly nodes: readonly ReadmeNode[]; readonly took: number }> {
  const clock = machineTime()
  const began = clock()
  const nodes = await Promise.all(inits.map(startReadmeNode))
  scope.after(() => Promise.all(nodes.map((node) => node.stop())))
  const took = await connectedGraph(() => graphOf(nodes), { target: TARGET, within, clock, began })
  return { nodes, took }
}

/** Nodes that were connected once and have stopped, and their bootstrap: what it takes to start each of them again. */
async function earlierRun(scope: Scope, count: number) {
  const folder = await temporaryFolder(scope)
  const privateKey = await generateKeyPair('Ed25519')
  const first = await startBootstrap(scope, { privateKey })
  const { multiaddrs: bootstraps } = first
  const identities = await Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      privateKey: await generateKeyPair('Ed25519'),
      cache: join(folder, `cache-${i}.json`),
    })),
  )
  const inits = identities.map((identity) => ({ ...identity, bootstraps }))
  const { nodes } = await startTogether(scope, inits, 15_000)
  const remembered = async () => await Promise.all(identities.map(({ cache }) => peersIn(cache)))
  await until(async () => (await remembered()).every((peers) => peers === count - 1), 'each remembers all others')
  const ports = nodes.map(portOf)
  await Promise.all(nodes.map((node) => node.stop()))
  await first.stop()
  return {
    nodes: identities.map((identity, i) => ({ ...identity, port: ports[i]! })),
    bootstrap: { privateKey, listen: bootstraps.map((address) => address.replace(/\/p2p\/.*/, '')) },
  }
}

async function peersIn(cache: string): Promise<number> {
  const text = await readFile(cache, 'utf8').catch(() => '{"peers":[]}')
  return JSON.parse(text).peers.length
}

function portOf(node: ReadmeNode): number {
  return Number(/\/tcp\/(\d+)/.exec(String(node.getMultiaddrs()[0]))![1])
}

/** A process of `join`, and its peers as its lines so far tell them. */
function nodeOf({ lines }: CliProcess) {
  const peers = new Set<string>()
  for (const { msg, peer } of lines) {
    if (msg === 'connected') {
      peers.add(String(peer))
    } else if (msg === 'disconnected') {
      peers.delete(String(peer))
    }
  }
  return { id: String(lines.find(({ msg }) => msg === 'ready')?.peerId), peers }
}
