import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { lockFile } from '../../../src/store/file/lock.ts'
import { StoreLockedError } from '../../../src/store/store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const root = await temporaryFolder({ after })

const HOLD = `
  const { lockFile } = await import(process.argv[1])
  try {
    globalThis.held = lockFile(process.argv[2])
    console.log('held')
    setInterval(() => {}, 60_000)
  } catch (error) {
    console.log(error.name)
  }
`

/** A process that takes the lock and keeps it; resolves to what it says first. */
async function holder(path: string): Promise<{ child: ChildProcess; said: string }> {
  const module = new URL('../../../src/store/file/lock.ts', import.meta.url).href
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, module, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = await once(child.stdout!, 'data')
  return { child, said: String(said).trim() }
}

test('a lock is held against other processes until its own ends, even by kill -9', async () => {
  const path = join(root, 'a.lock')
  const first = await holder(path)
  assert.equal(first.said, 'held')
  const second = await holder(path)
  assert.equal(second.said, 'StoreLockedError')
  assert.throws(() => lockFile(path), StoreLockedError)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const lock = lockFile(path)
  assert.equal((await holder(path)).said, 'StoreLockedError')
  lock.release()
  lock.release()
  const last = await holder(path)
  assert.equal(last.said, 'held')
  last.child.kill('SIGKILL')
  await once(last.child, 'exit')
  assert.deepEqual(await readdir(root), ['a.lock'])
})

test('two locks of one process exclude each other, and a refused one does not let go of the first', async () => {
  const path = join(root, 'b.lock')
  const lock = lockFile(path)
  for (let n = 0; n < 3; n++) {
    assert.throws(() => lockFile(path), {
      name: 'StoreLockedError',
      message: new RegExp(`${path}.*already running.*Stop it`),
    })
  }
  assert.equal((await holder(path)).said, 'StoreLockedError')
  lock.release()
  lockFile(path).release()
})

test('a lock file that can not be one is an error that names it', async () => {
  const path = join(root, 'c.lock')
  await writeFile(path, 'somebody wrote a letter into this file'.repeat(10))
  assert.throws(() => lockFile(path), new RegExp(`can't lock ${path}: file is not a database`))
  assert.throws(() => lockFile(join(root, 'missing', 'x.lock')), /can't lock .*missing/)
})

test('a lock file that was deleted is taken anew, unless another process was there', async () => {
  const path = join(root, 'd.lock')
  const lock = lockFile(path)
  await lock.verify()
  await rm(path)
  await Promise.all([lock.verify(), lock.verify()])
  assert.throws(() => lockFile(path), StoreLockedError)

  await rm(path)
  const other = lockFile(path)
  await assert.rejects(lock.verify(), { name: 'StoreUnavailableError', code: 'ELOCKED' })
  await other.verify()
  other.release()
  await assert.rejects(lock.verify(), { code: 'ELOCKED' }, 'it may have written')
  lock.release()
})
