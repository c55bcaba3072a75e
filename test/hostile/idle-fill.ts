import { setTimeout as delay } from 'node:timers/promises'
import { ASKS_BOOTSTRAP, DATA, FIN, frame, rawPeer, SYN, WINDOW_UPDATE } from '../support/raw-peer.ts'
import type { HonestPeer } from './honest-peer.ts'
import { atLeast, type Figure } from './report.ts'
import { servedWell } from './served.ts'
import type { Victim } from './victim.ts'

/** The table of connections of the node under this attack. */
export const TABLE = 200
const SECONDS = 6
/** As fast as handshakes can be had here from one process that does the other half of them too. */
const ARRIVALS_A_SECOND = 100

/** Twice as many idlers as there are places, half of them having asked once; whoever is hung up on comes back. */
export async function idleFill(victim: Victim, honest: HonestPeer, table = TABLE): Promise<Figure[]> {
  const stop = new AbortController()
  const arrived = { count: 0 }
  const mark = victim.mark
  const idlers: Array<Promise<void>> = []
  for (let i = 0; i < 2 * table; i++) {
    idlers.push(idle(victim.target, { index: i, table, arrived }, stop.signal))
    if (i % 10 === 9) {
      await delay(1000 / (ARRIVALS_A_SECOND / 10))
    }
  }
  while (arrived.count < table) {
    await delay(50)
  }
  honest.take()
  await delay(SECONDS * 1000)
  const exchanges = honest.take()
  const summaries = await victim.summariesSince(mark)
  stop.abort()
  await Promise.all(idlers)
  const connections = Math.max(...summaries.map((line) => Number(line.connections)))
  return [
    ...servedWell('idle fill', exchanges, 2000),
    atLeast('idle fill', `connections at a time, of ${table} places`, connections, table * 0.8),
  ]
}

async function idle(
  target: string,
  { index, table, arrived }: { readonly index: number; readonly table: number; readonly arrived: { count: number } },
  signal: AbortSignal,
): Promise<void> {
  // All together no faster than they came: the handshakes are another attack.
  const comeBackAfter = 2000 + (index % 20) * 100 + table * 2
  const from = `127.${1 + (index % 50)}.${1 + (index % 7)}.1`
  while (!signal.aborted) {
    const peer = await rawPeer(target, { from }).catch(() => undefined)
    arrived.count += peer === undefined ? 0 : 1
    if (peer !== undefined && index % 2 === 0) {
      peer.send(Buffer.concat([frame(DATA, SYN, 1, ASKS_BOOTSTRAP), frame(WINDOW_UPDATE, FIN, 1)]))
    }
    await Promise.race([peer?.gone, once(signal)])
    peer?.hangUp()
    // Soon, and not so soon that the handshakes are the attack: that is another one.
    await delay(comeBackAfter)
  }
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())))
}
