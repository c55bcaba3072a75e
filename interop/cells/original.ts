import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startNode, temporaryFolder } from '../bootstrap-node.ts'
import { type Peer, startJsPeer } from '../peer.ts'
import { run } from '../process.ts'
import type { Report } from '../report.ts'
import { GO_TARGET } from '../toolchains.ts'

const RUN_TIMEOUT_MS = 30_000
/** The list follows the journal by 2 s; who answers at an address without a PeerId is asked within seconds. */
const EVENTUALLY_MS = 30_000
const POLL_MS = 100

/** The list is the original's file: its code reads what the node wrote, and the node serves what its code wrote. */
export async function original(report: Report, peersFile: string, peers: readonly Peer[]): Promise<void> {
  await report.try("the original's code reads the list of this node", async () => {
    const expected = peers.map((peer) => `${peer.address}/p2p/${peer.peerId}`)
    await eventually(async () => {
      const read = await readAddresses(peersFile)
      const missing = expected.filter((address) => !read.includes(address))
      assert.deepEqual(missing, [])
    })
  })
  await report.try("this node serves the list of the original's code", () => servesOriginal(peers[0]!))
  await report.try("this node starts on the original's empty list, null", startsOnNull)
}

/** Its entries are `host:port`, without a PeerId; the node finds out who answers there, and keeps the entries. */
async function servesOriginal(peer: Peer): Promise<void> {
  await using scope = new AsyncDisposableStack()
  const folder = await temporaryFolder(scope)
  const [, , host, , port] = peer.address.split('/')
  const entries = [`${host}:${port}`, 'localhost:3000']
  await writeAddresses(join(folder, 'peers.json'), entries)
  const node = await startNode(scope, folder)
  const newcomer = await startJsPeer(scope, { bootstrap: node.multiaddr, network: '' })
  await eventually(async () => {
    const [own, ...others] = await newcomer.ask({})
    assert.deepEqual(own, { address: `${newcomer.address}/p2p/${newcomer.peerId}` })
    assert.deepEqual(others, [{ address: `${peer.address}/p2p/${peer.peerId}` }])
  })
  await node.stop()
  const kept = await readAddresses(node.peersFile)
  assert.deepEqual(kept, [...entries, `${newcomer.address}/p2p/${newcomer.peerId}`])
}

async function startsOnNull(): Promise<void> {
  await using scope = new AsyncDisposableStack()
  const folder = await temporaryFolder(scope)
  await writeAddresses(join(folder, 'peers.json'), [])
  const node = await startNode(scope, folder)
  const newcomer = await startJsPeer(scope, { bootstrap: node.multiaddr, network: '' })
  const own = `${newcomer.address}/p2p/${newcomer.peerId}`
  assert.deepEqual(newcomer.answer, [{ address: own }])
  await node.stop()
  assert.deepEqual(await readAddresses(node.peersFile), [own])
}

async function readAddresses(file: string): Promise<string[]> {
  return JSON.parse(await run(join(GO_TARGET, 'original'), ['read', file], { timeout: RUN_TIMEOUT_MS }))
}

async function writeAddresses(file: string, addresses: readonly string[]): Promise<void> {
  await run(join(GO_TARGET, 'original'), ['write', file, ...addresses], { timeout: RUN_TIMEOUT_MS })
}

async function eventually(attempt: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + EVENTUALLY_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) {
        throw error
      }
    }
    await delay(POLL_MS)
  }
}
