import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { namespaceFault, spawnInNamespace } from '../support/namespace.ts'
import type { Exchange } from './honest-peer.ts'
import { PublicPeer } from './public-peer.ts'
import { atLeast, atMost, type Figure } from './report.ts'
import { servedWell } from './served.ts'

/** How long honest callers ask. */
const SECONDS = 20

/** Newcomers from a network each: a /16, or a /32. */
const IP_OF = {
  v4: (i: number) => `45.${100 + (i % 100)}.${1 + (Math.floor(i / 100) % 200)}.1`,
  v6: (i: number) => `2a00:${(0x100 + i).toString(16)}::1`,
}

/**
 * Runs a file in a network namespace with public ranges; it prints a figure a line. Where no namespace can be had, that
 * is a figure that missed its bound: nothing was tried.
 */
export async function inNamespace(name: string, url: string, ...args: readonly string[]): Promise<Figure[]> {
  const fault = namespaceFault()
  if (fault !== undefined) {
    return [atMost(name, `not tried: ${fault}`, 1, 0)]
  }
  const child = spawnInNamespace([fileURLToPath(url), ...args])
  const figures: Figure[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => figures.push(JSON.parse(line)))
  const [code] = await once(child, 'close')
  return [...figures, atMost(name, 'attacks that could not be finished', code === 0 && figures.length > 0 ? 0 : 1, 0)]
}

/**
 * Newcomers that ask for a while, each from an address and a network of its own. In a process of its own, so that they
 * are as slow as the node makes them and not as the attackers beside them.
 */
export async function honestNewcomers(target: string, family: 'v4' | 'v6'): Promise<Exchange[]> {
  const child = fork(fileURLToPath(import.meta.url), [target, family])
  const exchanges: Exchange[] = []
  child.on('message', (exchange: Exchange) => exchanges.push(exchange))
  await once(child, 'close')
  return exchanges
}

/** How newcomers fared. */
export function newcomersServed(name: string, exchanges: readonly Exchange[], ms: number): Figure[] {
  const faults = [...new Set(exchanges.flatMap(({ fault }) => (fault === undefined ? [] : [fault])))]
  for (const fault of faults.slice(0, 3)) {
    console.error(`${name}, a newcomer: ${fault}`)
  }
  return exchanges.length === 0 ? [atLeast(name, 'honest exchanges', 0, 20)] : servedWell(name, exchanges, ms)
}

async function serve(target: string, ipOf: (i: number) => string): Promise<void> {
  const end = performance.now() + SECONDS * 1000
  for (let i = 0; performance.now() < end; i++) {
    const peer = await PublicPeer.start(ipOf(i))
    const started = performance.now()
    const fault = await peer.ask(target, {}).then(
      ({ error }) => error?.code,
      (err: unknown) => String(err),
    )
    const ms = performance.now() - started
    process.send!({ ms, peers: [], ...(fault === undefined ? {} : { fault }) } satisfies Exchange)
    await peer.stop()
    await delay(50)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [target, family] = process.argv.slice(2)
  await serve(target!, IP_OF[family as 'v4' | 'v6'])
  process.exit()
}
