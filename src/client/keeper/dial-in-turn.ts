// Dials the addresses of a peer one after the other.

import type { Connection } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { multiaddr } from '@multiformats/multiaddr'
import type { Entry } from './entry.ts'

/** How long a peer may take to be dialled, ms. */
export const DIAL_TIMEOUT_MS = 10_000
/** How long one address may take while others are left, ms: connecting at 300 ms of round trip takes 1.5 s. */
const ADDRESS_TIMEOUT_MS = 3000

/**
 * One address of a peer after the other, also those that are named meanwhile: one that stays silent leaves the others their
 * time. Each attempt begins with another of them, so that all get their turn, however many a liar has put in front. Rejects
 * with what the last one failed with.
 */
export async function dialInTurn(
  connectionManager: Pick<ConnectionManager, 'openConnection'>,
  entry: Entry,
  signal: AbortSignal,
): Promise<Connection> {
  const tried = new Set<string>()
  for (;;) {
    const first = entry.failures % entry.addresses.length
    const inTurn = [...entry.addresses.slice(first), ...entry.addresses.slice(0, first)]
    const [next, ...others] = inTurn.map(({ text }) => text).filter((text) => !tried.has(text))
    tried.add(next!)
    const most = AbortSignal.timeout(others.length > 0 ? ADDRESS_TIMEOUT_MS : DIAL_TIMEOUT_MS)
    try {
      const target = multiaddr(`${next}/p2p/${entry.id}`)
      return await connectionManager.openConnection(target, { signal: AbortSignal.any([signal, most]) })
    } catch (err) {
      if (signal.aborted || entry.addresses.every(({ text }) => tried.has(text))) {
        throw err
      }
    }
  }
}
