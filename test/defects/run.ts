/**
 * Tests the tests: `node test/defects/run.ts [name …]`.
 *
 * Each `*.patch` beside this file is one seeded defect, a unified diff against the root of the tree. Text before the
 * first `---` is free, but for two lines:
 *
 *     Test: test/policy/selection.test.ts
 *     Name: holds one peer an IP          (optional: runs only the tests whose name matches)
 *
 * For each patch the tree is copied, the patch applied, and the test run: it has to be red. Before that it is run once
 * on a copy without a patch, where it has to be green. Exit code 1 when a defect stays unseen, or a patch no longer
 * applies: correct the patch together with the code that it changes.
 */
import { spawn } from 'node:child_process'
import { cp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { newFolder } from '../support/temporary-folder.ts'

const HERE = import.meta.dirname
const ROOT = join(HERE, '..', '..')
/** What a test may need. `node_modules` is linked. */
const COPIED = ['src', 'test', 'bin', 'docs', 'package.json', 'tsconfig.json', 'peers.json', 'keys', 'README.md']
const TIMEOUT_MS = 180_000

interface Defect {
  readonly name: string
  readonly patch: string
  readonly test: string
  readonly pattern: string | undefined
}

const wanted = process.argv.slice(2)
const defects = (await readDefects()).filter(({ name }) => wanted.length === 0 || wanted.includes(name))
const greens = new Map<string, boolean>()
let unseen = 0
for (const defect of defects) {
  const verdict = await judge(defect)
  unseen += verdict === 'seen' ? 0 : 1
  console.log(`${verdict === 'seen' ? 'ok  ' : 'FAIL'} ${defect.name}: ${verdict} by ${defect.test}`)
}
console.log(`${defects.length - unseen} of ${defects.length} defects seen`)
process.exitCode = unseen === 0 && defects.length > 0 ? 0 : 1

async function judge(defect: Defect): Promise<'seen' | 'not seen' | 'patch does not apply' | 'red without the defect'> {
  const key = `${defect.test} ${defect.pattern}`
  if (!greens.has(key)) {
    greens.set(key, await inCopy((tree) => isGreen(tree, defect)))
  }
  if (greens.get(key) !== true) {
    return 'red without the defect'
  }
  return await inCopy(async (tree) => {
    if ((await run('patch', ['--quiet', '--strip=1', `--input=${defect.patch}`], tree)) !== 0) {
      return 'patch does not apply'
    }
    return (await isGreen(tree, defect)) ? 'not seen' : 'seen'
  })
}

async function readDefects(): Promise<Defect[]> {
  const files = (await readdir(HERE)).filter((file) => file.endsWith('.patch')).sort()
  return await Promise.all(
    files.map(async (file) => {
      const patch = join(HERE, file)
      const head = (await readFile(patch, 'utf8')).split(/^--- /m, 1)[0]!
      const test = /^Test: (\S+)$/m.exec(head)?.[1]
      if (test === undefined) {
        throw new Error(`${file} names no test; begin it with a line "Test: test/….test.ts"`)
      }
      return { name: basename(file, '.patch'), patch, test, pattern: /^Name: (.+)$/m.exec(head)?.[1] }
    }),
  )
}

async function isGreen(tree: string, { test, pattern }: Defect): Promise<boolean> {
  const only = pattern === undefined ? [] : [`--test-name-pattern=${pattern}`]
  return (await run(process.execPath, ['--test', ...only, test], tree)) === 0
}

async function inCopy<Value>(use: (tree: string) => Promise<Value>): Promise<Value> {
  const tree = await newFolder()
  try {
    for (const name of COPIED) {
      await cp(join(ROOT, name), join(tree, name), { recursive: true }).catch((err: NodeJS.ErrnoException) => {
        if (err.code !== 'ENOENT') {
          throw err
        }
      })
    }
    await symlink(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
    return await use(tree)
  } finally {
    await rm(tree, { recursive: true, force: true })
  }
}

/** The exit code; a process that does not end in time counts as failed. */
function run(command: string, args: readonly string[], cwd: string): Promise<number> {
  return new Promise((resolve, reject) => {
    // Inside a test run of its own, node would hand the results to the parent instead of the exit code.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(command, args, { cwd, env, stdio: 'ignore', timeout: TIMEOUT_MS })
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}
