import { setTimeout as delay } from 'node:timers/promises'
import { DATA, frame, type RawPeer, rawPeer, SYN } from '../support/raw-peer.ts'
import { atMost, type Figure, quantile } from './report.ts'
import type { Victim } from './victim.ts'

const MB = 1024 * 1024

/** One frame that announces 4 GiB, and then all of it: yamux alone keeps what comes (+674 MB). */
export async function frameBomb(victim: Victim): Promise<Figure[]> {
  const grown: number[] = []
  const taken: number[] = []
  for (let round = 0; round < 5; round++) {
    const before = await victim.rss()
    const peer = await rawPeer(victim.target)
    const sent = bomb(peer)
    const peak = await victim.peakRss(sent)
    grown.push(peak - before)
    taken.push(await sent)
  }
  return [
    atMost('frame bomb', 'memory grown, median of 5 connections', quantile(grown, 0.5), 10, 'MB'),
    atMost('frame bomb', 'ms until it is cut, most of 5', Math.max(...taken), 1000, 'ms'),
  ]
}

/** Sends for as long as anybody takes it; how long that was, ms. */
async function bomb(peer: RawPeer): Promise<number> {
  const started = performance.now()
  const junk = Buffer.alloc(64 * 1024)
  peer.send(frame(DATA, SYN, 1, 0, 0xff_ff_ff_ff))
  for (let sent = 0; sent < 1024 * MB && !peer.closed; sent += junk.length) {
    if (!peer.send(junk)) {
      await Promise.race([delay(1), peer.gone])
    }
  }
  const took = performance.now() - started
  peer.hangUp()
  return took
}
