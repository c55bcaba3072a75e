import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { addressOf, ask, startPeer } from '../support/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

it('a fresh clone stays clean until a peer registers; then git shows peers.json and nothing else', {
  skip: trackedFiles() === undefined ? 'this is no git checkout' : false,
}, async (t) => {
  const clone = await freshClone(await temporaryFolder(t))
  const status = () => git(clone, 'status', '--porcelain')
  assert.equal(status(), '')
  await runUntilReady(async () => {})
  assert.equal(status(), '')

  const peer = await startPeer()
  t.after(() => peer.stop())
  await runUntilReady(async (address) => {
    assert.equal((await ask(peer, address, { address: addressOf(peer) })).length, 1)
  })
  assert.equal(status(), ' M peers.json\n')

  /** As `npm start` does; stopped by SIGTERM. */
  async function runUntilReady(meanwhile: (address: string) => Promise<void>): Promise<void> {
    const { scripts } = JSON.parse(await readFile(join(clone, 'package.json'), 'utf8'))
    const [command, ...args] = `${scripts.start} --listen /ip4/127.0.0.1/tcp/0`.split(' ')
    assert.equal(command, 'node')
    const node = spawn(process.execPath, args, { cwd: clone, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => node.kill('SIGKILL'))
    const closed = once(node, 'close')
    for await (const line of createInterface({ input: node.stdout })) {
      const { msg, multiaddrs } = JSON.parse(line)
      if (msg === 'ready') {
        await meanwhile(multiaddrs[0])
        node.kill('SIGTERM')
      }
    }
    assert.equal((await closed)[0], 0)
  }
})

/**
 * What git has, or would take, of this checkout, committed in a repository of its own, but with the list that is
 * committed: this one may be in use. Dependencies are found in the folder above.
 */
async function freshClone(folder: string): Promise<string> {
  const clone = join(folder, 'clone')
  for (const file of trackedFiles()!) {
    await mkdir(dirname(join(clone, file)), { recursive: true })
    await cp(join(ROOT, file), join(clone, file))
  }
  await writeFile(join(clone, 'peers.json'), git(ROOT, 'show', 'HEAD:./peers.json'))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  git(clone, 'init', '--quiet')
  git(clone, 'add', '--all')
  git(clone, '-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--quiet', '--message', 'all')
  return clone
}

function trackedFiles(): string[] | undefined {
  try {
    const names = git(ROOT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0')
    // A link to the dependencies, as a second work tree may have, is not ignored as the folder is.
    return names.filter((name) => name !== '' && name !== 'node_modules' && existsSync(join(ROOT, name)))
  } catch {
    return undefined
  }
}

function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}
