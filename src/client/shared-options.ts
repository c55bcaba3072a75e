import { multiaddr } from '@multiformats/multiaddr'
import { callback, type Kind, number, objectWith, shortText, text, texts } from '../base/option-kinds.ts'
import { MAX_NETWORK_BYTES } from '../peer/limits.ts'
import { EXAMPLE_BOOTSTRAP, peerIdOf } from './bootstrap-address.ts'
import { CALL_TIMEOUT_MS } from './exchange.ts'
import { TARGET } from './keeper-link.ts'

/** Kinds of options that several modules of the client have. */

/**
 * An interval, ms. Below a second it is most likely meant in seconds, and a bootstrap would limit the rate; above a day,
 * in microseconds, and a registration would be over before the next.
 */
export const interval = (example: number): Kind => number({ min: 1000, max: 86_400_000, unit: 'ms', example })
/** A handshake across the world takes a second; more than ten minutes is no deadline, but a mistaken unit. */
export const timeout = number({ min: 1000, max: 600_000, unit: 'ms', example: CALL_TIMEOUT_MS })
export const network = shortText(MAX_NETWORK_BYTES)
export const target = number({ min: 1, max: 1000, example: TARGET })
export const signal = objectWith(['aborted'], 'an AbortSignal: signal: AbortSignal.timeout(10_000)')
export const scheduler = objectWith(['now', 'after'], 'a Scheduler, with now() and after(ms, task)')
export const random = callback('Math.random')

/** A multiaddr that the node's transports may dial, as long as it names the peer that is expected there. */
export const peerMultiaddr = text(EXAMPLE_BOOTSTRAP, multiaddrProblem)
export const peerMultiaddrs = texts(EXAMPLE_BOOTSTRAP, multiaddrProblem)

/** A libp2p node; `method` is what is used of it beside its PeerId. */
export function libp2pWith(method: string): Kind {
  return objectWith(['peerId', method], 'a libp2p node: await createLibp2p(…)')
}

function multiaddrProblem(address: string): string | undefined {
  try {
    multiaddr(address)
  } catch {
    return `write a multiaddr, such as ${EXAMPLE_BOOTSTRAP}`
  }
  return peerIdOf(address) === undefined
    ? `it names no peer; write its PeerId behind it: ${address}/p2p/12D3Koo…`
    : undefined
}
