// The calls by which a point tells the service of changes in its table: for snapshots, dial-backs, records and events.

import type { RegisteredPeer, Registration } from '../registry/registration.ts'

/** Is called as a point's table changes. The point waits for none of these calls, and none may throw. */
export interface PointWatcher {
  /** Something changed that a snapshot does not have yet. */
  readonly changed: () => void
  /** A registration is to be dialed back from now on: it is new, or a restart or the operator brought it back. */
  readonly tracked: (registration: Registration) => void
  /** Another peer answered at its address: it is out of the answers until it has answered again. */
  readonly doubted: (registration: Registration) => void
  /** A peer registered, or renewed, and the store has it. `added` holds what was not there before. */
  readonly registered: (peer: RegisteredPeer, added: readonly Registration[]) => void
  /** A registration gave way to others in a full subnet, or its network to another one, and the store has it. */
  readonly evicted: (registration: Registration) => void
}

/** The watcher of a point, for its parts. Until one is set, calls do nothing. */
export class Watched {
  watcher: PointWatcher = { changed() {}, tracked() {}, doubted() {}, registered() {}, evicted() {} }
}
