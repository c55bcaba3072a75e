import type { BootstrapAnswer } from '../../../src/client/bootstrap-answer.ts'
import { BootstrapError } from '../../../src/client/bootstrap-error.ts'
import type { SessionClient } from '../../../src/client/discovery/bootstrap-session.ts'

export type Call = {
  readonly kind: 'discover' | 'register' | 'unregister'
  readonly addresses: readonly string[]
  readonly at: number
}

/** A bootstrap without a network: up or down, with a list or without, as the test says. */
export function fakeClient(now: () => number) {
  const calls: Call[] = []
  const state = {
    up: true,
    listed: false,
    /** What becomes of a registration. */
    status: 'listed' as 'listed' | 'pending' | 'refused',
    /** ms. */
    retryAfter: undefined as number | undefined,
    /** ms. */
    expiresIn: 7_200_000,
    /** What it says beside its answer. */
    error: undefined as BootstrapError | undefined,
  }
  const answer = (kind: Call['kind'], addresses: readonly string[]): BootstrapAnswer => {
    calls.push({ kind, addresses, at: now() })
    if (!state.up) {
      throw new BootstrapError('unreachable', 'fake', 'it is down', { retryAfter: state.retryAfter })
    }
    state.listed = (kind === 'register' && state.status === 'listed') || (kind === 'discover' && state.listed)
    const outcome = (address: string) =>
      ({ address, status: state.status, code: state.status, message: '', expiresIn: state.expiresIn }) as const
    return {
      peers: [],
      self: state.listed ? { id: 'me', addresses: [] } : undefined,
      observed: undefined,
      registrations: kind === 'register' ? addresses.map(outcome) : [],
      bootstraps: [],
      error: state.error,
    }
  }
  const client: SessionClient = {
    id: 'fake',
    discover: async () => answer('discover', []),
    register: async (addresses) => answer('register', typeof addresses === 'function' ? addresses(4) : addresses),
    unregister: async (addresses = []) => answer('unregister', addresses),
  }
  return { client, calls, state, of: (kind: Call['kind']) => calls.filter((call) => call.kind === kind) }
}
