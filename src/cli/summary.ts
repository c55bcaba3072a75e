import type { NodeStatus } from '../node.ts'
import { loopDelays } from './loop-delay.ts'

/** The summary line: the current totals, and the counts since the line before. Each call continues from the last. */
export function summaries(): (status: NodeStatus) => Record<string, unknown> {
  let before: Pick<NodeStatus, 'counters' | 'guard'> | undefined
  const delays = loopDelays()
  return ({ counters, guard, store, ...now }) => {
    const done = (name: keyof NodeStatus['counters']) => counters[name] - (before?.counters[name] ?? 0)
    const line = {
      known: now.peerCount,
      registrations: now.registrationCount,
      living: now.livingCount,
      listed: now.listedCount,
      statics: now.staticCount,
      networks: now.networkCount,
      connections: now.connectionCount,
      requests: done('requests'),
      answered: done('answered'),
      registered: done('registered'),
      renewed: done('renewed'),
      pending: done('pending'),
      refused: done('refused'),
      errors: done('errors'),
      refusedConnections: rises(guard?.counters.refused, before?.guard?.counters.refused),
      hungUp: rises(guard?.counters.hungUp, before?.guard?.counters.hungUp),
      ...delays(),
      store: store.status,
      ...(store.status === 'failing' ? { storeError: store.code } : {}),
    }
    before = { counters, guard }
    return line
  }
}

/** By how much each reason's count rose; those that did not are left out, so that a quiet minute is `{}`. */
function rises(
  now: Readonly<Record<string, number>> = {},
  before: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const rose = Object.entries(now).map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
  return Object.fromEntries(rose.filter(([, count]) => count > 0))
}
