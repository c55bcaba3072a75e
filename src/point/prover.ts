import type { Stream } from '@libp2p/interface'
import type { ProofFault } from '../policy/refusal.ts'
import type { Registration } from '../registry/registration.ts'

/** What a dial-back showed. It is not cryptographic: it says that the peer answered there a moment ago. */
export type Proof = { readonly ok: true } | { readonly ok: false; readonly fault: ProofFault }

/** What a point asks of the one that dials back. `proofs` implements it. */
export interface Prover {
  /** Whether the registered peer answers at its address; undefined when the signal fired first. */
  prove(registration: Registration, signal?: AbortSignal): Promise<Proof | undefined>
  /** The PeerId that answers at a canonical multiaddr, or why none does. */
  identify(address: string): Promise<{ readonly peerId: string } | { readonly fault: ProofFault }>
}

/** What a dial-back does with a peer that answered, before it hangs up. Never rejects, and has a deadline of its own. */
export type Visit = (peer: DialledPeer) => Promise<void>

export interface DialledPeer {
  readonly peerId: string
  /** Where it was dialed, a multiaddr. */
  readonly remoteAddr: { toString(): string }
  /** Opens the one stream that a visit may have. */
  newStream(protocol: string, options: { readonly signal: AbortSignal }): Promise<Stream>
}
