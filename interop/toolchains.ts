import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './process.ts'

export type Language = 'go' | 'rust' | 'python'
export const LANGUAGES = ['go', 'rust', 'python'] as const satisfies Language[]

/** The command that starts a client, without its options. */
export type Command = readonly [program: string, ...args: string[]]

/** Where Go's commands are built to; `target` is what is git-ignored. */
export const GO_TARGET = join(import.meta.dirname, 'go', 'target')

export interface Toolchain {
  /** What runs, for the line of the cell. */
  readonly stack: string
  /** Its version. Rejects when it is not on PATH. */
  version(): Promise<string>
  /** Builds the client from its lock file. The second time it takes seconds. */
  build(): Promise<Command>
  /** Checks the layout of the program in `examples/`, and builds it, after the client: most of it is built then. */
  buildExample(): Promise<Command>
}

const EXAMPLES = join(import.meta.dirname, '..', 'examples')
const PYTHON_FOLDER = join(import.meta.dirname, 'python')
const PYTHON = join(PYTHON_FOLDER, '.venv', 'bin', 'python')
/** As in `rust/Cargo.toml`: what is built already is used again. */
const RUST_PROFILE = ['debug=false', 'opt-level=0', 'incremental=false', 'package."*".opt-level=1']

/** From empty caches, on one of two busy cores, Rust took 5.5 minutes, Go 3 and Python half a one. */
const BUILD_TIMEOUT_MS = 20 * 60_000
const VERSION_TIMEOUT_MS = 30_000

export const TOOLCHAINS: Readonly<Record<Language, Toolchain>> = {
  go: {
    stack: 'go-libp2p 0.51.0',
    version: () => run('go', ['version'], { timeout: VERSION_TIMEOUT_MS }),
    async build() {
      const cwd = join(import.meta.dirname, 'go')
      const old = ['-modfile=kubo-0.30.mod', '-o', `${GO_TARGET}/kubo-0.30/`, './manners']
      for (const what of [['-o', `${GO_TARGET}/`, './...'], old]) {
        await run('go', ['build', ...what], { cwd, timeout: BUILD_TIMEOUT_MS })
      }
      return [join(GO_TARGET, 'client')]
    },
    async buildExample() {
      const cwd = join(EXAMPLES, 'go')
      const unformatted = await run('gofmt', ['-l', '.'], { cwd, timeout: BUILD_TIMEOUT_MS })
      if (unformatted !== '') {
        throw new Error(`gofmt would change ${unformatted}`)
      }
      await run('go', ['vet', './...'], { cwd, timeout: BUILD_TIMEOUT_MS })
      const program = join(GO_TARGET, 'example')
      await run('go', ['build', '-o', program, '.'], { cwd, timeout: BUILD_TIMEOUT_MS })
      return [program]
    },
  },
  rust: {
    stack: 'rust-libp2p 0.57.1',
    version: () => run('cargo', ['--version'], { timeout: VERSION_TIMEOUT_MS }),
    async build() {
      const cwd = join(import.meta.dirname, 'rust')
      await run('cargo', ['build', '--locked', '--quiet'], { cwd, timeout: BUILD_TIMEOUT_MS })
      return [join(cwd, 'target', 'debug', 'bootstrap-interop')]
    },
    async buildExample() {
      const cwd = join(EXAMPLES, 'rust')
      const target = join(import.meta.dirname, 'rust', 'target')
      const profile = RUST_PROFILE.flatMap((setting) => ['--config', `profile.dev.${setting}`])
      await run('cargo', ['fmt', '--check'], { cwd, timeout: BUILD_TIMEOUT_MS })
      const build = ['build', '--locked', '--quiet', '--target-dir', target, ...profile]
      await run('cargo', build, { cwd, timeout: BUILD_TIMEOUT_MS })
      return [join(target, 'debug', 'example')]
    },
  },
  python: {
    stack: 'py-libp2p 0.8.1',
    version: pythonVersion,
    async build() {
      await installPython()
      return [PYTHON, join(PYTHON_FOLDER, 'client.py')]
    },
    async buildExample() {
      return [PYTHON, join(EXAMPLES, 'python', 'main.py')]
    },
  },
}

/** Too old a Python counts as none. */
async function pythonVersion(): Promise<string> {
  const check = 'import sys, venv; assert sys.version_info >= (3, 10), "3.10 or newer is needed"; print(sys.version)'
  return `Python ${await run('python3', ['-c', check], { timeout: VERSION_TIMEOUT_MS })}`
}

/** pip looks at each of the 60 packages even when all are there; a stamp in the environment says so sooner. */
async function installPython(): Promise<void> {
  const cwd = PYTHON_FOLDER
  const requirements = join(EXAMPLES, 'python', 'requirements.txt')
  const wanted = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
  const stamp = join(cwd, '.venv', 'requirements.sha256')
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) {
    return
  }
  await run('python3', ['-m', 'venv', '--clear', '.venv'], { cwd, timeout: BUILD_TIMEOUT_MS })
  const install = ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--requirement', requirements]
  await run(PYTHON, install, { cwd, timeout: BUILD_TIMEOUT_MS })
  await writeFile(stamp, wanted)
}
