import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync, watch } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { BIN } from '../support/cli-process.ts'
import { startLoad } from './load.ts'
import type { Tally } from './tally.ts'
import { lostOf } from './verify.ts'

/** What a kill is aimed at; `none` is the last round, which only looks. */
export type Aim = 'anywhere' | 'snapshot' | 'recovery' | 'none'
export const AIMS: readonly Aim[] = ['anywhere', 'snapshot', 'recovery']

export interface Round {
  readonly folder: string
  readonly aim: Aim
  readonly random: () => number
  /** What the rounds before were answered; this one adds its own. */
  readonly answered: Set<string>
  readonly tally: Tally
}

/** Starts the node, loads it, kills it, and looks for what it had answered. */
export async function playRound({ folder, aim, random, answered, tally }: Round): Promise<void> {
  const started = performance.now()
  const child = spawnNode(folder)
  const ready = readyLine(child)
  let isReady = false
  ready.then(
    () => {
      isReady = true
    },
    () => {},
  )

  if (aim === 'recovery') {
    await holdsLock(child.pid!, folder)
    await delay(random() * 80)
    await kill(child)
    tally.kills++
    tally.insideRecovery += isReady ? 0 : 1
    await ready.catch(() => {})
    return
  }

  let address: string
  try {
    const line = await ready
    address = line.multiaddrs[0]!
    tally.peerIds.add(line.peerId)
    tally.startMs.push(performance.now() - started)
  } catch (err) {
    tally.failedStarts++
    tally.notes.add(String(err))
    await kill(child)
    return
  }

  const load = await startLoad(address)
  const draft = join(folder, 'peers.json.tmp')
  if (aim === 'snapshot') {
    await appears(folder, 'peers.json.tmp')
    await delay(random() * 40)
  } else {
    await delay(random() * 1500)
  }
  await kill(child)
  if (aim !== 'none') {
    tally.kills++
    tally.insideSnapshot += existsSync(draft) ? 1 : 0
  }
  const keys = await load.stop()
  tally.answered += keys.length
  for (const key of keys) {
    answered.add(key)
  }
  const lost = await lostOf(folder, answered)
  tally.lost += lost.length
  for (const key of lost) {
    tally.notes.add(`lost: ${key} (aimed at ${aim})`)
  }
}

function spawnNode(cwd: string): ChildProcess {
  const args = ['start', '--listen', '/ip4/127.0.0.1/tcp/0', '--listing', 'registered', '--log-level', 'warn']
  return spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
}

async function readyLine(child: ChildProcess): Promise<{ peerId: string; multiaddrs: string[] }> {
  const lines = createInterface({ input: child.stdout! })
  for await (const line of lines) {
    const parsed = JSON.parse(line)
    if (parsed.msg === 'ready') {
      child.stdout!.resume()
      return parsed
    }
  }
  throw new Error('the node ended before it was ready')
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
  child.kill('SIGKILL')
  await exited
}

/** The node has the lock from before it reads the list until it ends. */
async function holdsLock(pid: number, folder: string): Promise<void> {
  const lock = join(folder, 'peers.json.lock')
  const end = performance.now() + 30_000
  while (performance.now() < end) {
    if (openFiles(pid).includes(lock)) {
      return
    }
    await delay(1)
  }
  throw new Error('the node never took its lock')
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}

async function appears(folder: string, name: string): Promise<void> {
  const signal = AbortSignal.timeout(30_000)
  const watcher = watch(folder, { signal })
  try {
    while (!existsSync(join(folder, name))) {
      await once(watcher, 'change', { signal })
    }
  } finally {
    watcher.close()
  }
}
