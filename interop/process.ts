import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'

/** What of stderr goes into an error. */
const SHOWN_STDERR = 2000
/** A process that was told to end and does not, ms. */
const END_TIMEOUT_MS = 10_000

export interface Options {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A process that says something a line, and may be told something a line. */
export interface Lines {
  /** The lines so far. */
  readonly lines: readonly string[]
  /** The line of that number, from 0, once it is there. Rejects when the process ends first, or after so many ms. */
  line(at: number, timeout: number): Promise<string>
  tell(line: string): void
  /** Ends it: by the signal, or without one by the end of its stdin. Resolves to its exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

export function startLines(command: string, args: readonly string[], options: Options = {}): Lines {
  const child = spawn(command, args, { ...options, env: environment(options), stdio: 'pipe' })
  const lines: string[] = []
  const events = new EventEmitter()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    events.emit('news')
  })
  let stderr = ''
  child.stderr.on('data', (data) => {
    stderr = (stderr + data).slice(-SHOWN_STDERR)
  })
  // Nobody reads what it is told after it has ended.
  child.stdin.on('error', () => {})
  let ended = false
  const closed = new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      stderr += error.message
      resolve(null)
    })
    child.once('close', resolve)
  }).finally(() => {
    ended = true
    events.emit('news')
  })

  return {
    lines,
    async line(at, timeout) {
      const signal = AbortSignal.timeout(timeout)
      while (lines.length <= at) {
        if (ended) {
          throw new Error(`${command} ended early: ${stderr.trim() || 'it said nothing'}`)
        }
        await once(events, 'news', { signal }).catch(() => {
          throw new Error(`${command} said nothing for ${timeout / 1000} s. ${stderr.trim()}`)
        })
      }
      return lines[at]!
    },
    tell: (line) => child.stdin.write(`${line}\n`),
    async end(signal) {
      const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS)
      child.stdin.end()
      if (signal !== undefined) {
        child.kill(signal)
      }
      return await closed.finally(() => clearTimeout(timer))
    },
  }
}

/** Runs to the end. Resolves to stdout; rejects with the end of stderr when the exit code is not 0. */
export async function run(
  command: string,
  args: readonly string[],
  { timeout, ...options }: Options & { readonly timeout: number },
): Promise<string> {
  const child = spawn(command, args, {
    ...options,
    env: environment(options),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
  })
  let stdout = ''
  let said = ''
  child.stdout.on('data', (data) => {
    stdout += data
    said = (said + data).slice(-SHOWN_STDERR)
  })
  child.stderr.on('data', (data) => {
    said = (said + data).slice(-SHOWN_STDERR)
  })
  const [code, signal] = await once(child, 'close').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new Error(`${command} is not on PATH`) : error
  })
  if (code !== 0) {
    throw new Error(`${command} ${args[0] ?? ''}: ${signal ?? `exit code ${code}`}. ${said.trim()}`)
  }
  return stdout
}

/** None of the settings of whoever runs this: they would be the node's. */
function environment({ env }: Options): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BOOTSTRAP_PEER_'))
  return { ...Object.fromEntries(inherited), ...env }
}
