// How `check` examines the siblings that a bootstrap names.

import type { Libp2p } from 'libp2p'
import { peerIdOf } from '../../client/bootstrap-address.ts'
import { BootstrapClient, type Dialer } from '../../client/bootstrap-client.ts'
import { BootstrapError } from '../../client/bootstrap-error.ts'

/** The finding about one of the other bootstraps that a bootstrap names. */
export interface SiblingReport {
  readonly peerId: string
  readonly address: string
  /** Whether it is reachable at that address, has the expected PeerId, and answers. */
  readonly ok: boolean
  /** From the first packet of the connection to the answer, ms. */
  readonly answeredIn?: number
  /**
   * Whether it names the bootstrap that named it: a client that knows only this one would not learn of that one
   * otherwise.
   */
  readonly namesBack?: boolean
  /** Why it is not `ok`. */
  readonly error?: { readonly code: string; readonly message: string }
}

/** How long a sibling may take, ms: one that runs answers in less from the far side of the world. */
const TIMEOUT_MS = 5000

/**
 * Asks the siblings that the bootstrap with PeerId `of` named, side by side; an answer has at most eight. Skips the
 * bootstrap itself. Never rejects because of what a sibling does.
 */
export async function examineSiblings(node: Libp2p, of: string, named: readonly string[]): Promise<SiblingReport[]> {
  const others = [...new Set(named)].filter((address) => peerIdOf(address) !== of)
  return await Promise.all(others.map((address) => examineSibling(node, of, address)))
}

async function examineSibling(node: Libp2p, of: string, address: string): Promise<SiblingReport> {
  // An existing connection would prove nothing about this address.
  const dialer: Dialer = { peerId: node.peerId, dial: (to, options) => node.dial(to, { ...options, force: true }) }
  const client = new BootstrapClient(dialer, address, { timeout: TIMEOUT_MS })
  const started = performance.now()
  try {
    const { bootstraps } = await client.discover({ limit: 0 })
    const answeredIn = Math.round(performance.now() - started)
    const namesBack = bootstraps.some((each) => peerIdOf(each) === of)
    return { peerId: client.id, address, ok: true, answeredIn, namesBack }
  } catch (error) {
    if (!(error instanceof BootstrapError)) {
      throw error
    }
    const { code, message } = error
    return { peerId: client.id, address, ok: false, error: { code, message } }
  }
}
