import type { ExplainedOutcome } from '../wire/bootstrap-codec.ts'
import type { BootstrapError } from './bootstrap-error.ts'
import type { OfferedPeer } from './offered-peers.ts'

/** What a bootstrap answered. Whatever it says is its word only. */
export interface BootstrapAnswer {
  /** The others of the network, without this node. */
  readonly peers: readonly OfferedPeer[]
  /** This node, when the bootstrap lists it. */
  readonly self: OfferedPeer | undefined
  /** The multiaddr that the bootstrap sees this node at; undefined when it was not asked to explain. */
  readonly observed: string | undefined
  /** What became of each address that was to be registered or taken back; empty when it was not asked to explain. */
  readonly registrations: readonly ExplainedOutcome[]
  /** Other bootstraps of its operator, multiaddrs with `/p2p`; those that it can know from where it is. */
  readonly bootstraps: readonly string[]
  /** What it could not do, when it has peers all the same: with `retryAfter`, when it asks to wait. */
  readonly error?: BootstrapError | undefined
}
