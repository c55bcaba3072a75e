import type { RegistrationOutcome } from '../bootstrap-answer.ts'
import type { BootstrapError } from '../bootstrap-error.ts'

/** The events of a discovery. The set is closed; `bootstrap` is a PeerId. */
export type DiscoveryEvent =
  /** A bootstrap was asked and has answered. */
  | {
      readonly type: 'answer'
      readonly bootstrap: string
      /** How many others it named. */
      readonly peers: number
      /** Whether it hands this node to others. */
      readonly listed: boolean
      /** The multiaddr that it sees this node at. */
      readonly observed: string | undefined
    }
  /** The outcome of each address that this node registered: whether others are handed it, and why not. */
  | { readonly type: 'outcomes'; readonly bootstrap: string; readonly registrations: readonly RegistrationOutcome[] }
  /** A bootstrap did not answer; it is tried again in `retryIn` ms. */
  | {
      readonly type: 'failure'
      readonly bootstrap: string
      readonly error: BootstrapError
      readonly retryIn: number
    }
  /** A bootstrap that another one had named has answered, and is remembered. */
  | { readonly type: 'learned'; readonly bootstrap: string; readonly addresses: readonly string[] }
  /** The answers leave the node short of its target: this number of `peers` of earlier runs is tried too. */
  | { readonly type: 'cache'; readonly peers: number }
  /** On stop: the bootstrap no longer lists this node; with an `error` it may, until the registration expires. */
  | { readonly type: 'unregistered'; readonly bootstrap: string; readonly error: BootstrapError | undefined }
  /** Something that the operator may want to correct, in one line. */
  | { readonly type: 'warning'; readonly message: string }
