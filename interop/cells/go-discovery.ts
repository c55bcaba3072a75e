import assert from 'node:assert/strict'
import { join } from 'node:path'
import { startNode, temporaryFolder } from '../bootstrap-node.ts'
import { run } from '../process.ts'
import type { Report } from '../report.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'examples', 'go-discovery')
/** It compiles go-libp2p's backoff and util packages and the tests. */
const TEST_TIMEOUT_MS = 10 * 60_000

/** The tests of the Go module, at two nodes that do not know each other. */
export async function goDiscovery(report: Report): Promise<void> {
  await report.try('examples/go-discovery passes its tests, at two nodes', async () => {
    await using scope = new AsyncDisposableStack()
    const nodes = await Promise.all([1, 2].map(async () => startNode(scope, await temporaryFolder(scope))))
    const settings = { cwd: FOLDER, timeout: TEST_TIMEOUT_MS }
    assert.equal(await run('gofmt', ['-l', '.'], settings), '', 'gofmt would change it')
    await run('go', ['vet', './...'], settings)
    const env = { BOOTSTRAP_PEER_TEST_NODES: nodes.map(({ multiaddr }) => multiaddr).join(',') }
    const said = await run('go', ['test', '-count=1', '-v', './...'], { ...settings, env })
    assert.doesNotMatch(said, /^\s*--- SKIP/m)
    const met = /node_test\.go:\d+: (after \S+)/.exec(said)?.[1]
    return `${said.match(/^--- PASS/gm)?.length} tests; two hosts met ${met}`
  })
}
