import type { RegisteredPeer, Registration } from '../registry/registration.ts'

/** What is told of a point's table as it changes. None of it is waited for, and none may throw. */
export interface PointWatcher {
  /** Something changed that a snapshot does not have yet. */
  readonly changed: () => void
  /** A registration is to be dialed back from now on: it is new, or a restart or the operator brought it back. */
  readonly tracked: (registration: Registration) => void
  /** A peer registered, or renewed, and the store has it. `added` holds what was not there before. */
  readonly registered: (peer: RegisteredPeer, added: readonly Registration[]) => void
}

/** The watcher of a point, for its parts. Until one is set nothing is told. */
export class Watched {
  watcher: PointWatcher = { changed() {}, tracked() {}, registered() {} }
}
