import { setTimeout as delay } from 'node:timers/promises'
import { ASKS_BOOTSTRAP, DATA, FIN, frame, rawPeer, SYN, WINDOW_UPDATE } from '../support/raw-peer.ts'
import { atMost, type Figure, shown } from './report.ts'
import type { Victim } from './victim.ts'

const AT_A_TIME = 8
/** The first ones fill what the node remembers on purpose: when each of 50,000 callers may ask again. */
const REMEMBERED = 52_000

/** Identities that come, ask once and leave: a stock node remembers each with 2.4 KB. */
export async function leavers(victim: Victim, joins: number): Promise<Figure[]> {
  const unserved = await join(victim.target, REMEMBERED)
  await delay(8000)
  const before = await victim.rss()
  const unservedThen = await join(victim.target, joins)
  await delay(8000)
  const grown = (await victim.rss()) - before
  return [
    atMost('leavers', `memory grown by ${joins} joins`, grown, Math.max(15, (joins * 0.5) / 1024), 'MB'),
    shown('leavers', 'a join', (grown * 1024) / joins, 'KB'),
    atMost('leavers', 'of all joins not answered', (100 * (unserved + unservedThen)) / (REMEMBERED + joins), 0.1, '%'),
  ]
}

/** How many of them were not answered within 5 s. */
async function join(target: string, joins: number): Promise<number> {
  let [left, unserved] = [joins, 0]
  const one = async () => {
    while (left-- > 0) {
      const peer = await rawPeer(target, { timeout: 5000 }).catch(() => undefined)
      peer?.send(Buffer.concat([frame(DATA, SYN, 1, ASKS_BOOTSTRAP), frame(WINDOW_UPDATE, FIN, 1)]))
      const answered = await peer?.until(() => peer.ended(1) === 'closed', 5000)
      unserved += answered === true ? 0 : 1
      peer?.hangUp()
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, one))
  return unserved
}
