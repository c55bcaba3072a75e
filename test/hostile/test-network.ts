import { setTimeout as delay } from 'node:timers/promises'
import { type PublicPeer, peersAt } from './public-peer.ts'
import { atLeast, atMost, type Figure, shown } from './report.ts'
import type { Victim } from './victim.ts'

const PEERS = 300
const NAME = 'test network'
/** When a client asks again that is not listed, ms. */
const AGAIN_MS = 1000

/**
 * Nobody hostile: a test network on one machine, all of it started at once, with nothing set. One process is all these
 * peers, and does most of the work: what it is too busy to answer is a timeout, and asked for again.
 */
export async function testNetwork(victim: Victim): Promise<Figure[]> {
  const peers = await peersAt(PEERS, () => '127.0.0.1')
  const began = performance.now()
  const tries = await Promise.all(peers.map((peer) => listed(peer, victim.target, began + 60_000)))
  const seconds = (performance.now() - began) / 1000
  const { length } = (await peers[0]!.ask(victim.target, { limit: 1000 })).peers
  await Promise.all(peers.map((peer) => peer.stop()))
  return [
    atLeast(NAME, 'listed', length, PEERS),
    atMost(
      NAME,
      'refused for what they are',
      tries.flat().filter((code) => !/^dial_|^pending|^no answer/.test(code)).length,
      0,
    ),
    atMost(NAME, 'until the last is listed', seconds, 20, 's'),
    shown(NAME, 'listed by their first answer', tries.filter((codes) => codes.length === 0).length),
  ]
}

/** What it was told before it was listed. */
async function listed(peer: PublicPeer, target: string, deadline: number): Promise<string[]> {
  const codes: string[] = []
  while (performance.now() < deadline) {
    const { code } = await peer.register(target).catch(() => ({ code: 'no answer' }))
    if (code === 'listed') {
      break
    }
    codes.push(code)
    await delay(AGAIN_MS)
  }
  return codes
}
