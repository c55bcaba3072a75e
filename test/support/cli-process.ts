import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Scope } from './last-first.ts'

/** What the package installs as `bootstrap-peer`. */
export const BIN = fileURLToPath(import.meta.resolve('../../bin/bootstrap-peer.js'))

/** A busy machine takes seconds to start a process; what hangs is given up long after that. */
const DEADLINE_MS = 30_000

export interface CliOptions {
  /** Where it runs: its keys and its list are made there. */
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** For Node itself, before the bin. */
  readonly nodeArguments?: readonly string[]
  /** A command that is given the process to run as its last arguments, such as `unshare`. Default: none. */
  readonly through?: readonly string[]
  /** Of its stdout. Default: utf8. */
  readonly encoding?: BufferEncoding
  /** After this time it is killed, ms. Default: a minute. */
  readonly lifetime?: number
}

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string }

export interface CliProcess {
  readonly pid: number
  /** Every line of stdout so far, parsed. */
  readonly lines: readonly LogLine[]
  /** The first line, of those already there or still to come, that has this message. */
  line(msg: string): Promise<LogLine>
  kill(signal: NodeJS.Signals): void
  /** Stops reading what it writes. */
  closeStdout(): void
  /** How it ended, once it has. */
  readonly ended: Promise<CliResult & { readonly signal: NodeJS.Signals | null }>
}

/** Runs the real bin to its end. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const child = spawnCli(args, options)
  const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), buffer(child.stdout!), text(child.stderr!)])
  return { code, stdout: stdout.toString(options.encoding), stderr }
}

/** Starts the real bin and goes on while it runs; it is killed when the test ends first. */
export function startCli(scope: Scope, args: readonly string[], options: CliOptions): CliProcess {
  const child = spawnCli(args, options)
  scope.after(() => child.kill('SIGKILL'))
  const lines: LogLine[] = []
  const raw: string[] = []
  const arrivals = new EventTarget()
  createInterface({ input: child.stdout! }).on('line', (line) => {
    raw.push(line)
    lines.push(JSON.parse(line))
    arrivals.dispatchEvent(new Event('line'))
  })
  const stderr = text(child.stderr!)
  const ended = once(child, 'close').then(async ([code, signal]) => {
    arrivals.dispatchEvent(new Event('line'))
    return { code, signal, stdout: raw.join('\n'), stderr: await stderr }
  })

  return {
    pid: child.pid!,
    lines,
    async line(msg) {
      const expired = AbortSignal.timeout(DEADLINE_MS)
      for (;;) {
        const found = lines.find((line) => line.msg === msg)
        if (found !== undefined) {
          return found
        }
        if (child.exitCode !== null || child.signalCode !== null) {
          const { stdout, stderr } = await ended
          throw new Error(`ended without the line "${msg}":\n${stdout}\n${stderr}`)
        }
        await once(arrivals, 'line', { signal: expired })
      }
    },
    kill: (signal) => child.kill(signal),
    closeStdout: () => child.stdout!.destroy(),
    ended,
  }
}

function spawnCli(args: readonly string[], options: CliOptions): ChildProcess {
  const { cwd, env = {}, nodeArguments = [], through = [], lifetime = DEADLINE_MS * 2 } = options
  const [command, ...rest] = [...through, process.execPath, ...nodeArguments, BIN, ...args]
  // Without the settings of the environment that the tests run in.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BOOTSTRAP_PEER_'))
  return spawn(command!, rest, {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: lifetime,
    killSignal: 'SIGKILL',
  })
}
