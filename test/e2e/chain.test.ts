import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Libp2p } from 'libp2p'
import { ChainNode, TOPIC } from '../../examples/chain/chain-node.ts'
import { BootstrapClient } from '../../src/client/index.ts'
import { startFakeBootstrap } from '../client/fake-bootstrap.ts'
import { type CliProcess, startCli } from '../support/cli-process.ts'
import { startPeer } from '../support/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/wait.ts'
import { spawnChainNode } from './chain-process.ts'

const NETWORK = 'example-chain'
const TARGET = 3

describe('a chain whose nodes find each other through bootstraps only', { concurrency: 3 }, () => {
  it('takes in a node that knows nothing', async (t) => {
    const { at } = await bootstrap(t)
    const [producer] = await chainNodes(t, 3, [at])
    for (let i = 0; i < 10; i++) {
      await producer!.produce(`block ${i}`)
    }
    const [newcomer] = await chainNodes(t, 1, [at])
    await follows(newcomer!, producer!)
    await nextBlockReaches([newcomer!], producer!)
  })

  it('goes on when one of two bootstraps is killed', async (t) => {
    const [one, two] = await Promise.all([bootstrap(t), bootstrap(t)])
    const bootstraps = [one.at, two.at]
    const [producer, other] = await chainNodes(t, 2, bootstraps)
    await producer!.produce('before')
    await follows(other!, producer!)
    await kill(one.process)
    const [newcomer] = await chainNodes(t, 1, bootstraps)
    await follows(newcomer!, producer!)
    await nextBlockReaches([other!, newcomer!], producer!)
  })

  it('takes back a node that has a cache when all bootstraps are dead', async (t) => {
    const folder = await temporaryFolder(t)
    const cache = join(folder, 'cache.json')
    const [one, two] = await Promise.all([bootstrap(t), bootstrap(t)])
    const bootstraps = [one.at, two.at]
    const [producer] = await chainNodes(t, 2, bootstraps)
    await producer!.produce('before')
    const leaver = await start(t, settings(bootstraps, { cache }))
    await follows(leaver, producer!)
    await until(() => kept(leaver).length > 0, 'it has heard of one that it is connected to')
    await leaver.stop()
    await Promise.all([kill(one.process), kill(two.process)])
    await producer!.produce('while it was away')
    const returned = await start(t, settings(bootstraps, { cache }))
    await follows(returned, producer!)
    await nextBlockReaches([returned], producer!)
  })

  it('teaches a bootstrap that comes back on an empty disk', async (t) => {
    const first = await bootstrap(t)
    // Nodes that have their peers notice at the next refresh: 5 minutes by default.
    const [producer, other] = await chainNodes(t, 2, [first.at], 1000)
    await producer!.produce('before')
    await follows(other!, producer!)
    await kill(first.process)
    for (const name of await readdir(first.folder)) {
      if (name.startsWith('peers.json')) {
        await rm(join(first.folder, name))
      }
    }
    const again = await bootstrap(t, first.folder, /\/tcp\/(\d+)/.exec(first.at)![1]!)
    assert.equal(again.at, first.at, 'it has the same PeerId')
    const stranger = await plain(t)
    const client = new BootstrapClient(stranger, again.at, { network: NETWORK })
    await until(async () => (await client.discover()).peers.length === 2, 'it has relearned both')
    const [newcomer] = await chainNodes(t, 1, [first.at])
    await follows(newcomer!, producer!)
  })

  it('replaces a third of the peers when they die', async (t) => {
    const { at } = await bootstrap(t)
    const doomed = await Promise.all(Array.from({ length: 3 }, () => spawnChainNode(t, [at])))
    const nodes = await chainNodes(t, 6, [at])
    const [producer, ...others] = nodes as [ChainNode, ...ChainNode[]]
    await until(() => nodes.every((node) => kept(node).length >= TARGET), 'all have their peers')
    const ids = doomed.map(({ peerId }) => peerId)
    const lost = nodes.filter((node) => kept(node).some((id) => ids.includes(id)))
    assert.ok(lost.length > 0, 'some lose a peer')
    await Promise.all(doomed.map((each) => each.kill()))
    await until(
      () => nodes.every((node) => kept(node).length >= TARGET && kept(node).every((id) => !ids.includes(id))),
      'all have others',
      40_000,
    )
    await nextBlockReaches(others, producer)
  })

  it('is found in spite of a bootstrap that lies', async (t) => {
    const honest = await Promise.all([bootstrap(t), bootstrap(t)])
    const nodes = await chainNodes(
      t,
      4,
      honest.map(({ at }) => at),
    )
    const [producer] = nodes as [ChainNode]
    await producer.produce('the truth')
    // Alive, but no node of this chain: what an eclipse is made of.
    const planted = await Promise.all(Array.from({ length: 10 }, () => plain(t)))
    const alive = planted.map((peer) => ({ address: String(peer.getMultiaddrs()[0]) }))
    const dead = alive.map(({ address }, n) => ({ address: address.replace(/tcp\/\d+/, `tcp/${60_000 + n}`) }))
    const endless = Array.from({ length: 3000 }, (_, n) => alive[n % alive.length])
    const liar = await startFakeBootstrap(() => `${JSON.stringify([...alive, ...dead, ...endless])}\n`)
    t.after(() => liar.stop())

    const [newcomer] = await chainNodes(t, 1, [String(liar.getMultiaddrs()[0]), ...honest.map(({ at }) => at)])
    await follows(newcomer!, producer)
    await until(() => kept(newcomer!).length >= TARGET, 'it has its peers')
    const ids = new Set(nodes.map(({ libp2p }) => libp2p.peerId.toString()))
    // A dial that timed out on a busy machine leaves its place to the liar's peers for a while.
    const honestOf = () => kept(newcomer!).filter((id) => ids.has(id)).length
    await until(() => honestOf() * 2 > kept(newcomer!).length, 'most of its peers are honest')
    await nextBlockReaches([newcomer!], producer)
  })
})

interface SpawnedBootstrap {
  readonly process: CliProcess
  /** Its multiaddr. */
  readonly at: string
  readonly folder: string
}

/** A bootstrap as a process of its own. */
async function bootstrap(t: TestContext, folder?: string, port = '0'): Promise<SpawnedBootstrap> {
  let process: CliProcess | undefined
  // Before its folder is removed, which comes next.
  t.after(() => process && kill(process))
  const cwd = folder ?? (await temporaryFolder(t))
  const args = ['start', '--listen', `/ip4/127.0.0.1/tcp/${port}`, '--reprove-interval', '1s']
  process = startCli(t, args, { cwd })
  const { multiaddrs } = (await process.line('ready')) as unknown as { readonly multiaddrs: readonly [string] }
  return { process, at: multiaddrs[0], folder: cwd }
}

async function kill({ kill, ended }: CliProcess): Promise<void> {
  kill('SIGKILL')
  await ended
}

/** A libp2p node that is none of the chain. */
async function plain(t: TestContext): Promise<Libp2p> {
  const node = await startPeer()
  t.after(() => node.stop())
  return node
}

/** The defaults, but for what a test is about. */
function settings(
  bootstraps: readonly string[],
  more: { readonly cache?: string; readonly refreshInterval?: number } = {},
) {
  return {
    discovery: { bootstraps, network: NETWORK, ...more },
    keeper: { target: TARGET, pingInterval: 1000 },
  }
}

/** Nodes of the chain. */
async function chainNodes(
  t: TestContext,
  count: number,
  bootstraps: readonly string[],
  refreshInterval?: number,
): Promise<ChainNode[]> {
  const init = settings(bootstraps, refreshInterval === undefined ? {} : { refreshInterval })
  // All of them, so that none starts on after a test that failed.
  const started = await Promise.allSettled(Array.from({ length: count }, () => start(t, init)))
  return started.map((each) => {
    if (each.status === 'rejected') {
      throw each.reason
    }
    return each.value
  })
}

/** Stopped after the test. */
async function start(t: TestContext, init: ReturnType<typeof settings>): Promise<ChainNode> {
  const node = await ChainNode.start(init)
  t.after(() => node.stop())
  return node
}

const kept = (node: ChainNode) => node.libp2p.services.peers.peers.map(({ id }) => id)

/** The type of the service leaves this method of its class out. */
function meshOf({ libp2p }: ChainNode): string[] {
  return (libp2p.services.pubsub as unknown as { getMeshPeers(topic: string): string[] }).getMeshPeers(TOPIC)
}

/** Waits until a node has all blocks of another. */
async function follows(node: ChainNode, leader: ChainNode): Promise<void> {
  await until(() => leader.chain.height > 0 && node.chain.tip === leader.chain.tip, 'it has the whole chain')
}

/** By gossip, and through whatever peers there are. */
async function nextBlockReaches(nodes: readonly ChainNode[], producer: ChainNode): Promise<void> {
  // gossipsub takes a heartbeat, a second, to make its mesh.
  await until(() => [...nodes, producer].every((node) => meshOf(node).length > 0), 'all are in the mesh')
  const { height } = await producer.produce('the next')
  await until(() => nodes.every(({ chain }) => chain.height >= height), 'all have the next block')
  assert.ok(nodes.every(({ chain }) => chain.tip === producer.chain.tip))
}
