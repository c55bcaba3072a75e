import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Libp2p } from 'libp2p'
import { type CliProcess, runCli, startCli } from '../support/cli-process.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/wait.ts'

const ARGUMENTS = ['start', '--listen', '/ip4/127.0.0.1/tcp/0']

describe('the files of a running node', { concurrency: 2 }, () => {
  let peer: Libp2p
  /** Two nodes on the same files have one PeerId, so that one peer would talk to the first of them only. */
  let other: Libp2p

  before(async () => {
    ;[peer, other] = await Promise.all([startPeer(), startPeer()])
  })

  after(() => Promise.all([peer, other].map((each) => each.stop())))

  it('are its own when the lock file is deleted: it takes it anew', async (t) => {
    const cwd = await temporaryFolder(t)
    const node = await start(t, cwd)
    await rm(join(cwd, 'peers.json.lock'))
    assert.equal(await register(node.address, 'one'), 'listed')
    const second = await runCli(ARGUMENTS, { cwd })
    assert.equal(second.code, 5)
    assert.match(second.stderr, /another process has .*peers\.json\.lock/)
  })

  it('are not written to once another node has them, and nothing that was answered is lost', async (t) => {
    const cwd = await temporaryFolder(t)
    const first = await start(t, cwd)
    assert.equal(await register(first.address, 'one'), 'listed')
    await until(async () => (await list(cwd)).includes('"one"'), 'a snapshot has it, so that nothing is left to write')
    await rm(join(cwd, 'peers.json.lock'))
    const second = await start(t, cwd)
    assert.equal(await register(second.address, 'two', other), 'listed')
    assert.equal(await register(first.address, 'three'), 'unavailable')
    const line = () => first.node.lines.find(({ code }) => code === 'ELOCKED')
    await until(() => line() !== undefined, 'it says why')
    assert.match(line()!.msg!, /lock file was deleted, and another process has the list now; stop one of the two/)
    for (const { node } of [first, second]) {
      node.kill('SIGKILL')
      await node.ended
    }
    const { address } = await start(t, cwd)
    for (const [network, owner] of [
      ['one', peer],
      ['two', other],
    ] as const) {
      assert(JSON.stringify(await ask(owner, address, { network })).includes(addressOf(owner)), `${network} is lost`)
    }
  })

  it('stay beside a list that was replaced by a symbolic link: the next start names it', async (t) => {
    const cwd = await temporaryFolder(t)
    const path = join(cwd, 'peers.json')
    const { node, address } = await start(t, cwd)
    assert.equal(await register(address, 'one'), 'listed')
    await until(() => existsSync(path), 'there is a list')
    await mkdir(join(cwd, 'elsewhere'))
    await rename(path, join(cwd, 'elsewhere', 'list.json'))
    await symlink(join(cwd, 'elsewhere', 'list.json'), path)
    node.kill('SIGKILL')
    await node.ended
    const { code, stderr } = await runCli(ARGUMENTS, { cwd })
    assert.equal(code, 5)
    assert(stderr.includes(`${path} is a symbolic link, but ${path}.journal-`), stderr)

    await rm(path)
    await rename(join(cwd, 'elsewhere', 'list.json'), path)
    const again = await start(t, cwd)
    assert(JSON.stringify(await ask(peer, again.address, { network: 'one' })).includes(addressOf(peer)))
  })

  it('are named when a directory has the name of one', async (t) => {
    const cwd = await temporaryFolder(t)
    const [journal, notOne] = ['0000009999', '9999'].map((digits) => join(cwd, `peers.json.journal-${digits}`))
    await mkdir(journal!)
    const { code, stderr } = await runCli(ARGUMENTS, { cwd })
    assert.equal(code, 5)
    assert(stderr.startsWith(`bootstrap-peer: ${journal} is not a file, and has the name of a journal`), stderr)
    await rename(journal!, notOne!)
    await start(t, cwd)
  })

  async function register(address: string, network: string, owner = peer): Promise<string> {
    const answer = await ask(owner, address, { address: addressOf(owner), network, explain: true })
    return answer.registrations[0].code
  }
})

async function start(
  t: Parameters<typeof startCli>[0],
  cwd: string,
): Promise<{ readonly node: CliProcess; readonly address: string }> {
  const node = startCli(t, ARGUMENTS, { cwd })
  const { multiaddrs } = await node.line('ready')
  return { node, address: (multiaddrs as readonly string[])[0]! }
}

async function list(cwd: string): Promise<string> {
  return await readFile(join(cwd, 'peers.json'), 'utf8').catch(() => '')
}
