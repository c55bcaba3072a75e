import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { newFolder } from '../support/temporary-folder.ts'

const BIN = fileURLToPath(import.meta.resolve('../../bin/bootstrap-peer.js'))

export interface LogLine {
  readonly msg?: string
  readonly [field: string]: unknown
}

export interface VictimInit {
  /** More arguments of `start`. */
  readonly args?: readonly string[]
  /** How often it says how it is. Default 1 s. */
  readonly summaryInterval?: string
  /** The IPs it listens at, each as `/ip4/…` or `/ip6/…`. Default loopback. */
  readonly at?: readonly string[]
}

/** How it ended, and what it said in all. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Lines of its log that are not one JSON object. */
  readonly brokenLines: readonly string[]
  readonly stderr: string
  readonly lines: readonly LogLine[]
}

/** The node under attack: a process of its own, with files of its own. */
export class Victim {
  /** Where it listens, in the order of {@link VictimInit.at}. */
  readonly targets: readonly string[]
  readonly folder: string
  readonly #child: ChildProcess
  readonly #lines: LogLine[]
  readonly #broken: string[]
  readonly #stderr: string[]
  readonly #ended: Promise<unknown>

  private constructor(
    targets: readonly string[],
    folder: string,
    child: ChildProcess,
    said: { lines: LogLine[]; broken: string[]; stderr: string[]; ended: Promise<unknown> },
  ) {
    this.targets = targets
    this.folder = folder
    this.#child = child
    this.#lines = said.lines
    this.#broken = said.broken
    this.#stderr = said.stderr
    this.#ended = said.ended
  }

  static async start({ args = [], summaryInterval = '1s', at = ['/ip4/127.0.0.1'] }: VictimInit = {}): Promise<Victim> {
    const folder = await newFolder()
    const listen = at.flatMap((ip) => ['--listen', `${ip}/tcp/0`])
    const child = spawn(process.execPath, [BIN, 'start', ...listen, '--summary-interval', summaryInterval, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // It does not outlive a battery that fails.
    const kill = () => child.kill('SIGKILL')
    process.once('exit', kill)
    child.once('close', () => process.off('exit', kill))
    const said = { lines: [] as LogLine[], broken: [] as string[], stderr: [] as string[], ended: once(child, 'close') }
    child.stderr!.setEncoding('utf8').on('data', (text: string) => said.stderr.push(text))
    const ready = new Promise<string[]>((resolve, reject) => {
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const parsed = parse(line)
        if (parsed === undefined) {
          said.broken.push(line)
          return
        }
        said.lines.push(parsed)
        if (parsed.msg === 'ready') {
          const multiaddrs = parsed.multiaddrs as string[]
          resolve(at.map((ip) => multiaddrs.find((each) => each.startsWith(`${ip}/`))!))
        }
      })
      said.ended.then(() => reject(new Error(`the node did not start: ${said.stderr.join('')}`)))
    })
    return new Victim(await ready, folder, child, said)
  }

  get target(): string {
    return this.targets[0]!
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resident memory now, MB. */
  async rss(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024
  }

  /** The most resident memory while something goes on, MB. */
  async peakRss(during: Promise<unknown>): Promise<number> {
    let peak = await this.rss()
    let over = false
    const done = during.finally(() => {
      over = true
    })
    while (!over) {
      peak = Math.max(peak, await this.rss())
      await Promise.race([delay(50), done.catch(() => {})])
    }
    await done
    return Math.max(peak, await this.rss())
  }

  /** How long it was ready to run and had no core so far, ms: what it is late by then is not its doing. */
  async waitedForCore(): Promise<number> {
    const [, waited] = (await readFile(`/proc/${this.#child.pid}/schedstat`, 'utf8')).split(' ')
    return Number(waited) / 1e6
  }

  /** CPU that it used so far, ms. */
  async cpu(): Promise<number> {
    const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'utf8')
    // User and system time, the 14th and 15th field, in hundredths of a second; the name in front may have spaces.
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number) as [number, number]
    return (user + system) * 10
  }

  /** A mark in its log, for {@link summariesSince}. */
  get mark(): number {
    return this.#lines.length
  }

  /** The summaries it wrote since; the last one covers up to now. */
  async summariesSince(mark: number): Promise<LogLine[]> {
    const current = this.#lines.length
    const next = () => this.#lines.slice(current).some(({ msg }) => msg === 'summary')
    const end = performance.now() + 15_000
    while (!next() && performance.now() < end) {
      await delay(50)
    }
    return this.#lines.slice(mark).filter(({ msg }) => msg === 'summary')
  }

  async stop(): Promise<Ending> {
    this.#child.kill('SIGTERM')
    const [code, signal] = (await this.#ended) as [number | null, NodeJS.Signals | null]
    await rm(this.folder, { recursive: true, force: true })
    return { code, signal, brokenLines: this.#broken, stderr: this.#stderr.join(''), lines: this.#lines }
  }
}

function parse(line: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as LogLine) : undefined
  } catch {
    return undefined
  }
}
