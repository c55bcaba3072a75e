import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Libp2p } from 'libp2p'
import { BootstrapClient } from '../../src/client/bootstrap-client.ts'
import { type CliProcess, runCli, startCli } from '../support/cli-process.ts'
import { addressOf, startPeer } from '../support/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('join, list and check with the settings of a node', { concurrency: 2 }, () => {
  const cleanUps: Array<() => unknown> = []
  const scope = { after: (cleanUp: () => unknown) => cleanUps.push(cleanUp) }
  let cwd: string
  let node: CliProcess
  let peerId: unknown
  let at: string
  let alice: Libp2p

  before(async () => {
    cwd = await temporaryFolder(scope)
    const listen = `/ip4/0.0.0.0/tcp/${await freePort()}`
    const config = { listen: [listen], network: ['x', 'y'], 'max-peers': 100, 'log-level': 'warn' }
    await writeFile(join(cwd, 'node.json'), JSON.stringify(config))
    // Also z, where `join` is: in the others the tests beside it count the peers.
    const networks = ['x', 'y', 'z'].flatMap((name) => ['--network', name])
    node = startCli(scope, ['start', '--config', 'node.json', ...networks], { cwd })
    peerId = (await node.line('ready')).peerId
    at = `${listen.replace('0.0.0.0', '127.0.0.1')}/p2p/${peerId}`
    alice = await startPeer()
    for (const network of ['y', 'z']) {
      await new BootstrapClient(alice, at, { network }).register([addressOf(alice)])
    }
  })

  after(async () => {
    await alice.stop()
    node.kill('SIGTERM')
    await node.ended
    await Promise.all(cleanUps.map((each) => each()))
  })

  it('ask the node of this machine when none is named', async () => {
    const list = await runCli(['list', '--config', 'node.json'], { cwd })
    assert.deepEqual({ stderr: list.stderr, code: list.code }, { stderr: '', code: 0 })
    assert.match(list.stdout, new RegExp(`^NETWORK +PEER +NAMED BY +ADDRESSES\\ny +${alice.peerId} +1 of 1 +`))

    const check = await runCli(['check', '--json'], { cwd, env: { BOOTSTRAP_PEER_CONFIG: 'node.json' } })
    const { ok, networks, bootstraps } = JSON.parse(check.stdout)
    assert.deepEqual({ ok, networks }, { ok: true, networks: ['x', 'y'] })
    assert.deepEqual(
      bootstraps.map(({ peerId, addresses, network, peers, listed }: Record<string, unknown>) => ({
        ...{ peerId, addresses, network, peers, listed },
      })),
      ['x', 'y'].map((network, peers) => ({ peerId, addresses: [at], network, peers, listed: true })),
    )
  })

  it('take what they use from flag, variable and file, in this order', async () => {
    const env = { BOOTSTRAP_PEER_CONFIG: 'node.json', BOOTSTRAP_PEER_NETWORK: 'x' }
    assert.equal((await runCli(['list'], { cwd, env })).stdout, 'no peer is listed in network "x"\n')
    const { stdout } = await runCli(['list', '--network', 'y', '--json'], { cwd, env })
    assert.equal(JSON.parse(stdout).peers[0].peerId, alice.peerId.toString())
  })

  it('join through the node of this machine', async (t) => {
    const env = { BOOTSTRAP_PEER_LOG_LEVEL: 'info' }
    const joined = startCli(t, ['join', '--config', 'node.json', '--network', 'z'], { cwd, env })
    await joined.line('ready')
    assert.equal((await joined.line('connected')).peer, alice.peerId.toString())
    joined.kill('SIGTERM')
    assert.equal((await joined.ended).code, 0)
    assert.ok(!joined.lines.some(({ msg, peer }) => msg === 'connected' && peer === peerId), 'a bootstrap is no peer')

    const quiet = startCli(t, ['join', '--config', 'node.json', '--network', 'z'], { cwd })
    await quiet.line('ready')
    quiet.kill('SIGTERM')
    await quiet.ended
    assert.deepEqual(
      quiet.lines.map(({ msg }) => msg),
      ['ready'],
    )
  })

  it('say what to do where that cannot be', async (t) => {
    const empty = await temporaryFolder(t)
    const dead = ['--config', 'dead.json']
    await writeFile(join(cwd, 'dead.json'), JSON.stringify({ listen: [`/ip4/127.0.0.1/tcp/${await freePort()}`] }))
    await writeFile(join(empty, 'wrong.json'), '{"netwrok": ["x"]}')
    const cases: ReadonlyArray<readonly [string, string[], Record<string, string>, number, RegExp]> = [
      [
        empty,
        ['list'],
        {},
        3,
        /no key keys\/identity\.key, so no node to ask here; start one: bootstrap-peer start, or name/,
      ],
      [empty, ['check'], {}, 3, /or name a bootstrap: bootstrap-peer check <multiaddr>/],
      [
        empty,
        ['join', '--config', 'wrong.json'],
        {},
        2,
        /wrong\.json: unknown key "netwrok"; did you mean "network"\?/,
      ],
      [empty, ['check'], { BOOTSTRAP_PEER_LISTN: 'x' }, 2, /did you mean BOOTSTRAP_PEER_LISTEN\?/],
      [cwd, ['check'], { BOOTSTRAP_PEER_LISTEN: '/ip4/0.0.0.0/tcp/0' }, 2, /listens on a port that the system chose/],
      [cwd, ['join', '--config', 'node.json'], {}, 2, /join is in one network, the configuration has 2; .*--network x/],
      [
        cwd,
        ['check', '--key', 'keys/identity.key', '--config', 'node.json'],
        {},
        2,
        /is the key of the bootstrap itself/,
      ],
      [cwd, ['list', ...dead], {}, 6, /nothing answers at its address; see what is wrong: bootstrap-peer check/],
    ]
    for (const [folder, args, env, exitCode, message] of cases) {
      const { code, stderr } = await runCli(args, { cwd: folder, env })
      assert.equal(code, exitCode, stderr)
      assert.match(stderr, /^bootstrap-peer: .*\n$/)
      assert.match(stderr, message)
    }
    assert.deepEqual(await readdir(empty), ['wrong.json'], 'no key is made')
    const { stdout } = await runCli(['check', ...dead], { cwd })
    assert.match(stdout, /✖ nothing answers at its address\n.*no node runs here with these settings; start it/)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
