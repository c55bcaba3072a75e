import type { RawPeer } from '../support/raw-peer.ts'
import { PublicPeer, peersAt } from './public-peer.ts'
import { atLeast, atMost, type Figure } from './report.ts'

/** Twice as many connections as there may be, at once. Who comes from elsewhere is served meanwhile. */
export async function connections(
  attack: string,
  target: string,
  [of, limit, ipOf]: readonly [of: string, limit: number, ipOf: (i: number) => string],
): Promise<Figure[]> {
  const callers = await peersAt(2 * limit, ipOf)
  const calls = await Promise.allSettled(callers.map((caller) => caller.call(target)))
  const open = calls.flatMap((call) => (call.status === 'fulfilled' ? [call.value] : []))
  const asker = await PublicPeer.start('45.200.1.3')
  const started = performance.now()
  const { peers } = await asker.ask(target, {})
  const ms = performance.now() - started
  const left = await settled(open, limit)
  for (const peer of open) {
    peer.hangUp()
  }
  await Promise.all([asker, ...callers].map((peer) => peer.stop()))
  return [
    atMost(attack, `connections of ${of} that stay`, left, limit),
    atLeast(attack, `and as many as may, ${of}`, left, limit),
    atLeast(attack, `peers for a newcomer from elsewhere, ${of}`, peers.length, 1),
    atMost(attack, `the newcomer’s wait, ${of}`, ms, 2000, 'ms'),
  ]
}

async function settled(peers: readonly RawPeer[], limit: number): Promise<number> {
  const left = () => peers.filter(({ closed }) => !closed).length
  await Promise.race([...peers.map((peer) => peer.until(() => left() <= limit, 3000))])
  return left()
}
