import { DATA, frame, RST, rawPeer, SYN, WINDOW_UPDATE } from '../support/raw-peer.ts'
import type { HonestPeer } from './honest-peer.ts'
import { atLeast, atMost, type Figure, quantile, shown } from './report.ts'
import type { Victim } from './victim.ts'

const CLIENTS = 10
const SECONDS = 10
/** Streams of one write. */
const AT_ONCE = 100

/** Streams opened and reset as fast as a connection takes them; whoever is cut calls again at once. */
export async function streamChurn(
  victim: Victim,
  honest: HonestPeer,
  // Not where the honest peer comes from: what an address does is held against that address.
  { from = (client: number) => `127.9.${client}.1`, attack = 'stream churn' } = {},
): Promise<Figure[]> {
  const end = performance.now() + SECONDS * 1000
  const mark = victim.mark
  const waited = await victim.waitedForCore()
  honest.take()
  const connections = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => churn(victim.target, from(i), end)))
  const exchanges = honest.take()
  const waits = (await victim.waitedForCore()) - waited
  const summaries = await victim.summariesSince(mark)
  const worst = (field: string) => Math.max(...summaries.map((line) => Number(line[field])))
  return [
    atMost(attack, 'event loop late, p99', worst('loopP99'), 50, 'ms'),
    atMost(attack, 'event loop late, most', worst('loopMax'), 200, 'ms'),
    atMost(
      attack,
      'honest exchange, p99',
      quantile(
        exchanges.map(({ ms }) => ms),
        0.99,
      ),
      500,
      'ms',
    ),
    atLeast(attack, 'honest exchanges answered', share(exchanges), 99, '%'),
    shown(attack, 'the node waited for a core, of the time', waits / (10 * SECONDS), '%'),
    shown(
      attack,
      'connections it took',
      connections.reduce((a, b) => a + b),
    ),
  ]
}

function share(exchanges: readonly { readonly fault?: string }[]): number {
  return (100 * exchanges.filter(({ fault }) => fault === undefined).length) / exchanges.length
}

async function churn(target: string, from: string, end: number): Promise<number> {
  let connections = 0
  while (performance.now() < end) {
    connections++
    const peer = await rawPeer(target, { from }).catch(() => undefined)
    for (let id = 1; peer !== undefined && !peer.closed && performance.now() < end; id += 2 * AT_ONCE) {
      const streams = Array.from({ length: AT_ONCE }, (_, i) => [
        frame(WINDOW_UPDATE, SYN, id + 2 * i),
        frame(DATA, RST, id + 2 * i),
      ])
      peer.send(Buffer.concat(streams.flat()))
      await new Promise(setImmediate)
    }
    peer?.hangUp()
  }
  return connections
}
