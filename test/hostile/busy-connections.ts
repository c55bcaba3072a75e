import { setTimeout as delay } from 'node:timers/promises'
import { WORK_BUDGETS } from '../../src/host/guard/work-budgets.ts'
import { ASKS_BOOTSTRAP, DATA, frame, type RawPeer, RST, rawPeer, SYN, WINDOW_UPDATE } from '../support/raw-peer.ts'
import { honestNewcomers, inNamespace, newcomersServed } from './newcomers.ts'
import { atLeast, atMost, type Figure, shown } from './report.ts'
import { Victim } from './victim.ts'

const CONNECTIONS_OF_IP = 8
/** How much of the budget of one connection each of them takes, once it had its burst. */
const SHARE = 0.92
/** A stream opened, which the node begins to negotiate, and reset, as the node prices it. */
const STREAM_WORK = 49
/** How often each opens some. */
const EACH_MS = 250

/** Where a crowd comes from: eight addresses a /24, and as many /24s as it takes. */
const ipOf = (i: number) => `45.${20 + Math.floor(i / 8)}.7.${1 + (i % 8)}`

/** 192 connections of 24 addresses, and 1000 of 125 in 16 subnets: each keeps within the budget of a connection. */
export const busyConnections = () => inNamespace('busy connections', import.meta.url, '24')
export const moreBusyConnections = () => inNamespace('busy connections', import.meta.url, '125')

async function attack(addresses: number): Promise<Figure[]> {
  const count = addresses * CONNECTIONS_OF_IP
  const name = `busy, ${count}`
  const victim = await Victim.start({ at: ['/ip4/45.1.0.1'] })
  const over = new AbortController()
  const tally = { streams: 0, connections: 0 }
  const attackers = Array.from({ length: count }, (_, i) => keepBusy(victim.target, i % addresses, tally, over.signal))
  const until = performance.now() + 60_000
  while (tally.connections < count && performance.now() < until) {
    await delay(100)
  }
  const mark = victim.mark
  const [streams, cpu, waited] = [tally.streams, await victim.cpu(), await victim.waitedForCore()]
  const began = performance.now()
  const exchanges = await honestNewcomers(victim.target, 'v4')
  const seconds = (performance.now() - began) / 1000
  const [opened, used] = [(tally.streams - streams) / seconds, ((await victim.cpu()) - cpu) / seconds]
  const waits = ((await victim.waitedForCore()) - waited) / seconds
  const summaries = await victim.summariesSince(mark)
  over.abort()
  await Promise.all(attackers)
  const survived = victim.alive
  const { code, stderr } = await victim.stop()
  const most = (field: string) => Math.max(0, ...summaries.map((line) => Number(line[field])))
  const hungUp = summaries.reduce((all, line) => all + ((line.hungUp as Record<string, number>).too_much_work ?? 0), 0)
  return [
    ...newcomersServed(name, exchanges, 1000),
    atLeast(name, 'attacking connections', tally.connections, count),
    atLeast(name, 'of them hung up on, for their address or subnet', hungUp, 1),
    shown(name, 'streams that they opened', opened, '/s'),
    shown(name, 'the node’s CPU', used / 10, '%'),
    shown(name, 'the node waited for a core, of the time', waits / 10, '%'),
    shown(name, 'event loop late, p99', most('loopP99'), 'ms'),
    shown(name, 'input waited for its turn, p99', most('loopWaitP99'), 'ms'),
    shown(name, 'input waited for its turn, most', most('loopWaitMax'), 'ms'),
    atMost(name, 'crashes, and stops that were not clean', survived && code === 0 && stderr === '' ? 0 : 1, 0),
  ]
}

/** One connection, which comes back when it is hung up on. */
async function keepBusy(
  target: string,
  address: number,
  tally: { streams: number; connections: number },
  over: AbortSignal,
): Promise<void> {
  const pause = (ms: number) => delay(ms, undefined, { signal: over }).catch(() => {})
  while (!over.aborted) {
    const peer = await rawPeer(target, { from: ipOf(address) }).catch(() => undefined)
    if (peer !== undefined) {
      tally.connections++
      await churn(peer, tally, over, pause)
      peer.hangUp()
    }
    await pause(500)
  }
}

async function churn(
  peer: RawPeer,
  tally: { streams: number },
  over: AbortSignal,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const atOnce = Math.floor((SHARE * WORK_BUDGETS.connection.perSecond * EACH_MS) / 1000 / STREAM_WORK)
  for (let id = 1; !peer.closed && !over.aborted; id += 2 * atOnce) {
    const streams = Array.from({ length: atOnce }, (_, i) => [
      frame(DATA, SYN, id + 2 * i, ASKS_BOOTSTRAP),
      frame(WINDOW_UPDATE, RST, id + 2 * i),
    ])
    peer.send(Buffer.concat(streams.flat()))
    tally.streams += atOnce
    await pause(EACH_MS)
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname && process.argv[2] !== undefined) {
  for (const figure of await attack(Number(process.argv[2]))) {
    console.log(JSON.stringify(figure))
  }
  process.exit()
}
