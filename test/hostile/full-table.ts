import { setTimeout as delay } from 'node:timers/promises'
import { ASKS_BOOTSTRAP, DATA, frame, type RawPeer, RST, rawPeer, SYN } from '../support/raw-peer.ts'
import { honestNewcomers, inNamespace, newcomersServed } from './newcomers.ts'
import { atLeast, atMost, type Figure, shown } from './report.ts'
import { Victim } from './victim.ts'

/** Each connection has a silent stream, reset and opened anew this often: within all budgets, and never idle. */
const AGAIN_MS = 4500
/** Connections of a /48: eight /64s with eight each. */
const OF_SITE = 64
const AT = '/ip6/2a00:1::1'
/** All of one /32. */
const ipOf = (i: number) => {
  const site = Math.floor(i / OF_SITE) + 1
  return `2a00:5:${site.toString(16)}:${((i % 8) + 1).toString(16)}00::1`
}

/** A full table of 500, and of 4000: busy connections of one IPv6 /32. */
export const fullTable = () => inNamespace('full table', import.meta.url, '500')
export const fullerTable = () => inNamespace('full table', import.meta.url, '4000')

async function attack(places: number): Promise<Figure[]> {
  const name = `full table, ${places}`
  const victim = await Victim.start({ at: [AT], args: ['--max-connections', String(places)], summaryInterval: '5s' })
  const over = new AbortController()
  const mark = victim.mark
  const holders = Array.from({ length: places + OF_SITE }, (_, i) => hold(victim.target, i, over.signal))
  const full = async () => Number((await victim.summariesSince(victim.mark)).at(-1)?.connections) >= places * 0.95
  let isFull = false
  for (let tries = 0; tries < 60 && !isFull; tries++) {
    isFull = await full()
  }
  const exchanges = await honestNewcomers(victim.target, 'v6')
  const summaries = await victim.summariesSince(mark)
  over.abort()
  await Promise.all(holders)
  const rss = await victim.rss()
  const survived = victim.alive
  const { code, stderr } = await victim.stop()
  const sum = (reason: string) =>
    summaries.reduce((all, { hungUp }) => all + ((hungUp as Record<string, number>)[reason] ?? 0), 0)
  return [
    ...newcomersServed(name, exchanges, 2000),
    atLeast(name, 'the table was full', isFull ? 1 : 0, 1),
    atLeast(name, 'connections of the crowd that gave way', sum('crowded'), 1),
    shown(name, 'resident memory at the end', rss, 'MB'),
    atMost(name, 'crashes, and stops that were not clean', survived && code === 0 && stderr === '' ? 0 : 1, 0),
  ]
}

/** One connection, which comes back when it is hung up on. */
async function hold(target: string, i: number, over: AbortSignal): Promise<void> {
  // As fast as handshakes can be had from one process that does the other half of them too.
  const pause = (ms: number) => delay(ms, undefined, { signal: over }).catch(() => {})
  await pause(i * 15)
  while (!over.aborted) {
    const peer = await rawPeer(target, { from: ipOf(i) }).catch(() => undefined)
    if (peer !== undefined) {
      await keepBusy(peer, over, pause)
      peer.hangUp()
    }
    await pause(2000 + (i % 50) * 100)
  }
}

async function keepBusy(peer: RawPeer, over: AbortSignal, pause: (ms: number) => Promise<void>): Promise<void> {
  for (let id = 1; !peer.closed && !over.aborted; id += 2) {
    const end = id > 1 ? [frame(DATA, RST, id - 2)] : []
    peer.send(Buffer.concat([...end, frame(DATA, SYN, id, ASKS_BOOTSTRAP)]))
    await Promise.race([peer.gone, pause(AGAIN_MS)])
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname && process.argv[2] !== undefined) {
  for (const figure of await attack(Number(process.argv[2]))) {
    console.log(JSON.stringify(figure))
  }
  process.exit()
}
