import type { ExchangesStatus } from '../frontends/exchanges/exchanges.ts'
import type { GuardStatus } from '../host/guard/guard-service.ts'
import type { StoreState } from '../store/store.ts'
import { type Counters, zeroCounters } from './counters.ts'

/** What the service holds now, and its counts since it was constructed. */
export interface BootstrapStatus {
  /** Peers known, over all networks. */
  readonly peerCount: number
  readonly registrationCount: number
  /** Registrations whose peer answered when it was last dialed. */
  readonly livingCount: number
  /**
   * Registrations that are handed out. Fewer than live when the proofs do not keep up with the table: then all take turns,
   * and each is handed out for this share of the time.
   */
  readonly listedCount: number
  /** Entries that the operator wrote. */
  readonly staticCount: number
  readonly networkCount: number
  /** Exchanges under way, of all protocols, and what waits in them to be read. */
  readonly exchanges: ExchangesStatus
  /** The port of the original program's TCP wire; undefined while it is not served. */
  readonly legacyTcpPort: number | undefined
  readonly store: StoreState
  readonly counters: Readonly<Counters>
  /** Connections refused and hung up on, each with its reason; undefined in a node without the guard. */
  readonly guard: GuardStatus | undefined
}

/** The status before the first start. */
export function emptyStatus(): BootstrapStatus {
  return {
    peerCount: 0,
    registrationCount: 0,
    livingCount: 0,
    listedCount: 0,
    staticCount: 0,
    networkCount: 0,
    exchanges: { open: 0, silent: 0, unreadBytes: 0 },
    legacyTcpPort: undefined,
    store: { status: 'ok' },
    counters: zeroCounters(),
    guard: undefined,
  }
}
