// Whether the disk works, and when to try it again.

import { doubling } from '../../base/back-off.ts'
import type { Clock } from '../../base/clock.ts'
import { type StoreState, StoreUnavailableError } from '../store.ts'
import { errorCode } from './file-system.ts'

/** After the first failure the next try is a second later, then two, four … and never more than a minute. */
const RETRY = { first: 1000, most: 60_000 }

/** Whether one operation of the disk works, and when to try it again if it does not. */
export interface Outage {
  readonly state: StoreState
  /** Returns the error while it is too early to try again; undefined when it works, or when the next try is due. */
  refusal(): StoreUnavailableError | undefined
  /** It failed. Returns the error for the caller. */
  failed(error: unknown): StoreUnavailableError
  /** It succeeded. */
  over(): void
}

export function createOutage(clock: Clock): Outage {
  let state: StoreState = { status: 'ok' }
  let cause: unknown
  let failures = 0
  return {
    get state() {
      return state
    },
    refusal() {
      return state.status === 'failing' && clock() < state.retryAt
        ? new StoreUnavailableError(state.code, cause)
        : undefined
    },
    failed(error) {
      const now = clock()
      const code = error instanceof StoreUnavailableError ? error.code : errorCode(error)
      failures++
      state = {
        status: 'failing',
        code,
        since: state.status === 'ok' ? now : state.since,
        retryAt: now + doubling(failures, RETRY),
      }
      cause = error
      return error instanceof StoreUnavailableError ? error : new StoreUnavailableError(code, error)
    },
    over() {
      state = { status: 'ok' }
      failures = 0
      cause = undefined
    },
  }
}
