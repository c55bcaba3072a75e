// The function type with which the prober dials an address, and its result. Types only; host/dial-back.ts has the dial.

import type { DialledPeer, Visit } from '../point/prover.ts'
import type { ProofFault } from '../policy/refusal.ts'

export type { DialledPeer, Visit }

/** The PeerId that answered a dial, base58btc, or why there was no answer. */
export type DialAnswer = { readonly peerId: string } | { readonly fault: ProofFault }

/**
 * Dials a canonical multiaddr afresh, up to the end of the handshake, and hangs up. It has a deadline of its own. With
 * a visit, it hangs up when the visit is over; the answer does not wait for it.
 */
export type Dial = (address: string, visit?: Visit) => Promise<DialAnswer>
