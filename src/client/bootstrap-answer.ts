import type { BootstrapError } from './bootstrap-error.ts'
import type { OfferedPeer } from './offered-peers.ts'

/** The answer of a bootstrap. Only that bootstrap vouches for it. */
export interface BootstrapAnswer {
  /** The other peers of the network, without this node. */
  readonly peers: readonly OfferedPeer[]
  /** This node, when the bootstrap lists it. */
  readonly self: OfferedPeer | undefined
  /** The multiaddr that the bootstrap sees this node at; undefined when it was not asked to explain. */
  readonly observed: string | undefined
  /** The outcome of each address that was to be registered or taken back; empty when it was not asked to explain. */
  readonly registrations: readonly RegistrationOutcome[]
  /** Other bootstraps of its operator, multiaddrs with `/p2p`; those that this node can reach from where it is. */
  readonly bootstraps: readonly string[]
  /** Why the bootstrap did not do all that was asked, though it names peers. It may have `retryAfter`. */
  readonly error?: BootstrapError | undefined
}

/** The outcome of one address of a registration. */
export interface RegistrationOutcome {
  /** The multiaddr that the bootstrap took it for, or the text that it could not read. */
  readonly address: string
  /** A status that this version does not know reads as `refused`. */
  readonly status: 'listed' | 'pending' | 'removed' | 'refused'
  /** Why, such as `dial_refused`; the codes are in `docs/protocol.md`. */
  readonly code: string
  /** The same for people. */
  readonly message: string
  /** How long the registration lasts from the answer, ms; null when there is none or it never ends. */
  readonly expiresIn: number | null
}
