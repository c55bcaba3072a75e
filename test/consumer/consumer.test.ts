import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MODULES = join(ROOT, 'node_modules')
const TSC = join(MODULES, '.bin/tsc')
const PROGRAMS = ['custom-store.ts', 'guarded-node.ts']
/** libp2p's own types need those of the DOM. */
const LIB = 'es2024,esnext.disposable,esnext.iterator,dom'

const run = promisify(execFile)

const project = await temporaryFolder({ after })

/** The package as it is built, in a project beside the libraries that it depends on. `.ci/pack` installs the real one. */
describe('a program that uses the package', () => {
  before(async () => {
    const installed = join(project, 'node_modules/bootstrap-peer')
    await mkdir(installed, { recursive: true })
    for (const name of await readdir(MODULES)) {
      await symlink(join(MODULES, name), join(project, 'node_modules', name))
    }
    await run(TSC, ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(installed, 'dist')])
    await copyFile(join(ROOT, 'package.json'), join(installed, 'package.json'))
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
    for (const program of PROGRAMS) {
      await copyFile(join(import.meta.dirname, program), join(project, program))
    }
  })

  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const) {
    it(`is checked with all declarations it reads, under ${resolution}`, async () => {
      const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2024', '--types', 'node']
      const kind = ['--lib', LIB, '--module', module, '--moduleResolution', resolution]
      const { stdout } = await run(TSC, [...options, ...kind, ...PROGRAMS], { cwd: project }).catch((err) => err)
      assert.equal(stdout, '')
    })
  }

  it('has a store of its own that passes the contract', async () => {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
    const { stdout } = await run(process.execPath, ['--test', 'custom-store.ts'], { cwd: project, env })
    assert.match(stdout, /^. pass [1-9]\d*$/m)
    assert.match(stdout, /^. fail 0$/m)
  })

  it('adds the service to a guarded libp2p node with services of its own', async () => {
    await run(process.execPath, ['guarded-node.ts'], { cwd: project })
  })
})
