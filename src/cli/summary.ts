import type { Status } from '../node.ts'
import { loopDelays } from './loop-delay.ts'

type Counters = Status['counters']

/** The summary line: the current totals, and the counts since the line before. Each call continues from the last. */
export function summaries(): (status: Status) => Record<string, unknown> {
  let before: Counters | undefined
  const delays = loopDelays()
  return ({ counters, store, ...now }) => {
    const done = (name: keyof Counters) => counters[name] - (before?.[name] ?? 0)
    const line = {
      known: now.peerCount,
      registrations: now.registrationCount,
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
      ...delays(),
      store: store.status,
      ...(store.status === 'failing' ? { storeError: store.code } : {}),
    }
    before = counters
    return line
  }
}
