import { setTimeout as delay } from 'node:timers/promises'
import { ASKS_BOOTSTRAP, DATA, FIN, frame, type RawPeer, rawPeer, SYN, WINDOW_UPDATE } from '../support/raw-peer.ts'
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
  const crowd: Crowd = { target: victim.target, table, arrived: 0, peers: new Set(), over: false }
  const mark = victim.mark
  const idlers: Array<Promise<void>> = []
  for (let i = 0; i < 2 * table; i++) {
    idlers.push(idle(crowd, i))
    if (i % 10 === 9) {
      await delay(1000 / (ARRIVALS_A_SECOND / 10))
    }
  }
  while (crowd.arrived < table) {
    await delay(50)
  }
  honest.take()
  await delay(SECONDS * 1000)
  const exchanges = honest.take()
  const summaries = await victim.summariesSince(mark)
  crowd.over = true
  for (const peer of crowd.peers) {
    peer.hangUp()
  }
  await Promise.all(idlers)
  const connections = Math.max(...summaries.map((line) => Number(line.connections)))
  return [
    ...servedWell('idle fill', exchanges, 2000),
    atLeast('idle fill', `connections at a time, of ${table} places`, connections, table * 0.8),
  ]
}

/** The idlers together. */
interface Crowd {
  readonly target: string
  readonly table: number
  arrived: number
  /** Those that are connected. */
  readonly peers: Set<RawPeer>
  over: boolean
}

async function idle(crowd: Crowd, index: number): Promise<void> {
  // All together no faster than they came: the handshakes are another attack.
  const comeBackAfter = 2000 + (index % 20) * 100 + crowd.table * 2
  const from = `127.${1 + (index % 50)}.${1 + (index % 7)}.1`
  while (!crowd.over) {
    const peer = await rawPeer(crowd.target, { from }).catch(() => undefined)
    if (peer !== undefined && !crowd.over) {
      await stay(peer, crowd, index % 2 === 0)
    }
    peer?.hangUp()
    await delay(crowd.over ? 0 : comeBackAfter)
  }
}

/** Until it is hung up on. */
async function stay(peer: RawPeer, crowd: Crowd, asks: boolean): Promise<void> {
  crowd.arrived++
  crowd.peers.add(peer)
  if (asks) {
    peer.send(Buffer.concat([frame(DATA, SYN, 1, ASKS_BOOTSTRAP), frame(WINDOW_UPDATE, FIN, 1)]))
  }
  await peer.gone
  crowd.peers.delete(peer)
}
