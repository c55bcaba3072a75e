import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { namedTypes } from '../support/named-types.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MODULES = join(ROOT, 'node_modules')
const TSC = join(MODULES, '.bin/tsc')
/** The `.d.ts` of what `package.json` exports. */
const ENTRIES = Object.values(packageJson.exports).map(({ types }) => types)
const PROGRAMS = ['custom-store.ts', 'guarded-node.ts']
/** libp2p's own types need those of the DOM. */
const LIB = 'es2024,esnext.disposable,esnext.iterator,dom'

const run = promisify(execFile)

const project = await temporaryFolder({ after })

/**
 * The package as it is built, in a project beside the libraries that it depends on. `.ci/pack` installs the tarball, checks
 * the same programs for a bundler too, and runs them.
 */
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

  it('is checked with all declarations it reads', async () => {
    const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2024', '--types', 'node']
    const kind = ['--lib', LIB, '--module', 'nodenext']
    const { stdout } = await run(TSC, [...options, ...kind, ...PROGRAMS], { cwd: project }).catch((err) => err)
    assert.equal(stdout, '')
  })

  it('finds every type that an exported one names among the exports', async () => {
    const installed = await realpath(join(project, 'node_modules/bootstrap-peer'))
    const entries = ENTRIES.map((path) => join(installed, path))
    const config = join(installed, 'tsconfig.json')
    const compilerOptions = { module: 'nodenext', target: 'es2024', types: ['node'], noEmit: true, skipLibCheck: true }
    await writeFile(config, JSON.stringify({ compilerOptions, files: entries }))
    const named = namedTypes(config, entries, join(installed, 'dist'))
    assert.ok(named.some(({ by, name, isExported }) => by === 'Store' && name === 'Recovered' && isExported))
    const missing = named.filter(({ isExported }) => !isExported).map(({ by, name }) => `${by} names ${name}`)
    assert.deepEqual(missing, [])
  })
})
