/**
 * An entry of `peers.json` without an expiry: the operator's own, written by hand or by the original program. It is
 * kept as it was read, whatever it holds, and no remote peer can change it.
 */
export interface StaticEntry {
  /** The JSON value in the file. */
  readonly json: unknown
  /** The parsed entry; undefined when it names no address that can be served (it is kept all the same). */
  readonly registration: StaticRegistration | undefined
}

export interface StaticRegistration {
  readonly network: string
  /** The canonical multiaddr without `/p2p`. */
  readonly address: string
  /** Undefined when the entry names none: the dial-back finds which peer answers there. */
  readonly peerId: string | undefined
}

/** How many of `entries` are not among `others`. */
export function countNew(entries: readonly StaticEntry[], others: readonly StaticEntry[]): number {
  const known = new Set(others.map(({ json }) => JSON.stringify(json)))
  return entries.filter(({ json }) => !known.has(JSON.stringify(json))).length
}
