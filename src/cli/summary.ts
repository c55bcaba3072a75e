// The summary line: its members, and how they follow from the node's status since the line before.

import type { NodeStatus } from '../node.ts'
import { loopDelays } from './loop-delay.ts'

/** The members of the summary line. `docs/operations.md` has them as a table, written from these docstrings. */
export interface SummaryLine {
  /** Peers in the table now, over all networks. */
  readonly known: number
  /** Registrations in the table now: one for each address of a peer in a network. */
  readonly registrations: number
  /** Registrations now whose peers answered when they were last dialed. */
  readonly living: number
  /** Registrations now that answers may have. Fewer than `living` for long when the dial-backs do not keep up. */
  readonly listed: number
  /** Entries now that the operator wrote into the list. */
  readonly statics: number
  /** Networks now that have a peer. */
  readonly networks: number
  /** Connections open now. */
  readonly connections: number
  /** Exchanges under way now, over all protocols: streams, and connections of the original program's wire. */
  readonly exchanges: number
  /** Bytes now of answers that wait for their readers. */
  readonly unread: number
  /** Requests read since the line before, whatever became of them. */
  readonly requests: number
  /** Requests answered with a list since the line before. */
  readonly answered: number
  /** Addresses registered for the first time since the line before. */
  readonly registered: number
  /** Addresses renewed since the line before. */
  readonly renewed: number
  /** Addresses, since the line before, that are not proved yet: they were undecided when the answer was due. */
  readonly pending: number
  /** Addresses refused since the line before. */
  readonly refused: number
  /** Addresses removed since the line before because their peers asked for it. */
  readonly removed: number
  /** Addresses, since the line before, that gave way to others in a full subnet, or with their network. */
  readonly evicted: number
  /** Requests answered with an error since the line before. */
  readonly errors: number
  /** Exchanges refused for lack of a place since the line before: all are taken, or those of an IP or a subnet. */
  readonly noRoom: number
  /** Silent exchanges, since the line before, whose place a caller of a less crowded neighbourhood needed. */
  readonly gaveWay: number
  /** Exchanges, since the line before, in which no request came that could be read. */
  readonly silent: number
  /** Connections refused since the line before, by reason, such as `{"rate":12}`; `{}` when there were none. */
  readonly refusedConnections: Readonly<Record<string, number>>
  /** Connections that the node hung up on since the line before, by reason, such as `{"silent":3}`. */
  readonly hungUp: Readonly<Record<string, number>>
  /** How late the event loop was since the line before, ms, 99th percentile: the wait of a request before all else. */
  readonly loopP99: number
  /** The same, the most. */
  readonly loopMax: number
  /** How long input and answers waited for their turn among those of all networks, ms, over the last 30 to 60 s, 99th percentile. */
  readonly loopWaitP99: number
  /** The same, the most. Far above `loopMax`, it says that there is more to serve than the machine has time for. */
  readonly loopWaitMax: number
  /** `ok`, or `failing` when the store takes no changes. */
  readonly store: 'ok' | 'failing'
  /** The system's code of that failure; only while the store is failing. */
  readonly storeError?: string
}

/** Returns what makes the summary line: current totals, and counts since the line before, that is since its last call. */
export function summaries(): (status: NodeStatus) => SummaryLine {
  let before: Pick<NodeStatus, 'counters' | 'guard'> | undefined
  const delays = loopDelays()
  return ({ counters, guard, store, exchanges, ...now }) => {
    const done = (name: keyof NodeStatus['counters']) => counters[name] - (before?.counters[name] ?? 0)
    const line = {
      known: now.peerCount,
      registrations: now.registrationCount,
      living: now.livingCount,
      listed: now.listedCount,
      statics: now.staticCount,
      networks: now.networkCount,
      connections: now.connectionCount,
      exchanges: exchanges.open,
      unread: exchanges.unreadBytes,
      requests: done('requests'),
      answered: done('answered'),
      registered: done('registered'),
      renewed: done('renewed'),
      pending: done('pending'),
      refused: done('refused'),
      removed: done('removed'),
      evicted: done('evicted'),
      errors: done('errors'),
      noRoom: done('noRoom'),
      gaveWay: done('gaveWay'),
      silent: done('silent'),
      refusedConnections: rises(guard?.counters.refused, before?.guard?.counters.refused),
      hungUp: rises(guard?.counters.hungUp, before?.guard?.counters.hungUp),
      ...delays(),
      loopWaitP99: guard?.loopWait.p99 ?? 0,
      loopWaitMax: guard?.loopWait.max ?? 0,
      store: store.status,
      ...(store.status === 'failing' ? { storeError: store.code } : {}),
    }
    before = { counters, guard }
    return line
  }
}

/** How much each reason's count rose; those that did not are left out, so that a quiet minute is `{}`. */
function rises(
  now: Readonly<Record<string, number>> = {},
  before: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const rose = Object.entries(now).map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
  return Object.fromEntries(rose.filter(([, count]) => count > 0))
}
