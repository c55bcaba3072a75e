import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { runCli, startCli } from '../support/cli-process.ts'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ANY_PORT = ['--listen', '/ip4/127.0.0.1/tcp/0']

/** Runs what follows in an empty folder that nothing can be written to, not by root either. */
const READ_ONLY = ['sh', '-c', 'mount -t tmpfs -o ro tmpfs "$PWD" && cd "$PWD" && exec "$0" "$@"']
const WAYS = [
  ['unshare', '--mount', ...READ_ONLY],
  ['unshare', '--mount', '--map-root-user', ...READ_ONLY],
]

describe('a data directory', { concurrency: 2 }, () => {
  it('holds all that is written, by a node that runs where nothing can be', async (t) => {
    const [cwd, above] = [await temporaryFolder(t), await temporaryFolder(t)]
    const dataDir = join(above, 'lib', 'bootstrap-peer')
    const through = wayIn()
    if (through.length === 0) {
      await chmod(cwd, 0o555)
    }
    const node = startCli(t, ['start', ...ANY_PORT, '--data-dir', dataDir], { cwd, through })
    const { multiaddrs, peerId } = (await node.line('ready')) as unknown as { multiaddrs: string[]; peerId: string }
    const peer = await startPeer()
    t.after(() => peer.stop())
    assert.equal((await ask(peer, multiaddrs[0]!, { address: addressOf(peer) })).length, 1)
    node.kill('SIGTERM')
    const { code, stderr } = await node.ended
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })

    assert.deepEqual(await readdir(cwd), [])
    assert.deepEqual(
      (await readdir(dataDir)).filter((name) => !name.startsWith('peers.json.')),
      ['keys', 'peers.json'],
    )
    assert.deepEqual(await readdir(join(dataDir, 'keys')), ['identity.key'])
    assert.match(await readFile(join(dataDir, 'peers.json'), 'utf8'), new RegExp(`p2p/${peer.peerId}`))
    for (const folder of [dataDir, join(dataDir, 'keys')]) {
      assert.equal((await stat(folder)).mode & 0o7777, 0o700)
    }
    assert.notEqual((await stat(join(dataDir, '..'))).mode & 0o055, 0, 'only what holds the key is closed to others')

    const { stdout } = await runCli(['id'], { cwd, env: { BOOTSTRAP_PEER_DATA_DIR: dataDir } })
    assert.equal(stdout, `${peerId}\n`)
  })

  it('is made by keygen too, and gives way to a path that is given', async (t) => {
    const cwd = await temporaryFolder(t)
    const made = await runCli(['keygen', '--data-dir', 'a', '--json'], { cwd })
    assert.equal(JSON.parse(made.stdout).key, 'a/keys/identity.key')
    const elsewhere = ['--data-dir', 'b', '--key', 'a/keys/identity.key', '--file', 'list/peers.json']
    const node = startCli(t, ['start', ...ANY_PORT, ...elsewhere], { cwd })
    assert.equal((await node.line('ready')).peerId, JSON.parse(made.stdout).peerId)
    node.kill('SIGTERM')
    assert.equal((await node.ended).code, 0)
    assert.deepEqual(await readdir(join(cwd, 'b')), [])
    assert((await readdir(join(cwd, 'list'))).includes('peers.json'))
    assert.deepEqual((await readdir(cwd)).sort(), ['a', 'b', 'list'])
  })

  it("that can't be had is one line and exit code 5", async (t) => {
    const cwd = await temporaryFolder(t)
    await writeFile(join(cwd, 'file'), '')
    const cases: Array<[string, RegExp]> = [
      ['file', /the data directory \/.*\/file \(from --data-dir\): it is not a directory; name a directory/],
      ['file/below', /file\/below \(from --data-dir\): something above it is not a directory \(ENOTDIR\); name/],
      ['/proc/no/such', /\/proc\/no\/such .*: it can't be made there; .* \(ENOENT\); name/],
    ]
    for (const command of ['start', 'keygen']) {
      for (const [directory, message] of cases) {
        const { code, stdout, stderr } = await runCli([command, '--data-dir', directory], { cwd })
        assert.deepEqual({ code, stdout }, { code: 5, stdout: '' }, stderr)
        assert.match(stderr, /^bootstrap-peer: can't use .*\n$/)
        assert.match(stderr, message)
      }
    }
    assert.deepEqual(await readdir(cwd), ['file'])
  })
})

it('--port is the port of both families, and the hint where it is taken', async (t) => {
  const node = startCli(t, ['start', '--port', '0'], { cwd: await temporaryFolder(t) })
  const { multiaddrs } = (await node.line('ready')) as unknown as { multiaddrs: string[] }
  const ports = multiaddrs.map((address) => address.split('/')[4])
  assert.deepEqual(
    ['ip4', 'ip6'].map((family) => multiaddrs.some((address) => address.startsWith(`/${family}/`))),
    [true, true],
  )
  const second = await runCli(['start', '--port', ports[0]!], { cwd: await temporaryFolder(t) })
  assert.equal(second.code, 4)
  assert.match(second.stderr, /^bootstrap-peer: can't listen on .*: another process has this port; .*: --port 4001 /)
})

/** Empty where a mode has to do, as for a user who is not root. */
function wayIn(): readonly string[] {
  const way = WAYS.find(([command, ...args]) => {
    try {
      execFileSync(command!, [...args, 'true'], { cwd: '/mnt', stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
  return way ?? []
}
