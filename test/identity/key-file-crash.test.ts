import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { loadIdentity, loadOrCreateIdentity } from '../../src/identity/key-file.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/**
 * Makes a key in a process that dies by SIGKILL at the call of this number to the file system. A write it dies at has
 * got half of its bytes out. Returns whether it lived to the end.
 */
async function createAndDie(file: string, call: number): Promise<boolean> {
  const source = `
    import fs from 'node:fs/promises'
    import { syncBuiltinESMExports } from 'node:module'
    process.umask(0)
    let calls = 0
    const dying = (name, original) => async function (...args) {
      if (++calls === ${call}) {
        if (name === 'writeFile') await original.call(this, args[0].subarray(0, args[0].length / 2))
        process.kill(process.pid, 'SIGKILL')
      }
      return original.apply(this, args)
    }
    const handle = await fs.open('/dev/null')
    const prototype = Object.getPrototypeOf(handle)
    for (const name of ['chmod', 'writeFile', 'sync', 'close']) prototype[name] = dying(name, prototype[name])
    for (const name of ['mkdir', 'chmod', 'open', 'link', 'unlink']) fs[name] = dying(name, fs[name])
    syncBuiltinESMExports()
    const { createIdentity } = await import(${JSON.stringify(import.meta.resolve('../../src/identity/key-file.ts'))})
    await createIdentity(${JSON.stringify(file)})
    process.exit(calls < ${call} ? 0 : 1)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code, signal] = await once(child, 'exit')
  assert(code === 0 || signal === 'SIGKILL', `${code} ${signal}`)
  return code === 0
}

it('a process killed while it makes its key leaves a whole key or none, and nothing that others can read', async (t) => {
  const root = await temporaryFolder(t)
  let calls = 0
  let [without, withKey] = [0, 0]
  for (let lived = false; !lived; ) {
    const home = join(root, String(++calls))
    const file = join(home, 'keys', 'identity.key')
    lived = await createAndDie(file, calls)
    const bytes = await readFile(file).catch(() => undefined)
    for (const path of await readdir(home, { recursive: true }).catch(() => [])) {
      const { mode } = await stat(join(home, path))
      assert.equal(mode & 0o077, 0, `${path} after call ${calls}`)
    }
    if (bytes === undefined) {
      without++
    } else {
      withKey++
      await loadIdentity(file)
    }
    // The next start makes do with what it finds, and keeps what is there.
    await loadOrCreateIdentity(file)
    assert(bytes === undefined || bytes.equals(await readFile(file)))
  }
  // It did die before and after the key had its name.
  assert(without > 5 && withKey > 2, `${without} without, ${withKey} with a key`)
})
