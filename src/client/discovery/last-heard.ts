// What each bootstrap answered last, for the developer warnings.

import type { RegistrationOutcome } from '../bootstrap-answer.ts'
import type { BootstrapError } from '../bootstrap-error.ts'
import type { DiscoveryEvent } from './discovery-events.ts'

/** The last events of one bootstrap, summed up. */
export interface LastHeard {
  /** Whether it answers what it is asked; undefined when it was not asked yet. */
  readonly answers: boolean | undefined
  /** Whether it has answered since it last failed. One that only fails to register still answers. */
  readonly answeredSince: boolean
  readonly error: BootstrapError | undefined
  readonly peers: number
  readonly listed: boolean
  readonly outcomes: readonly RegistrationOutcome[]
}

const NOTHING_HEARD: LastHeard = {
  answers: undefined,
  answeredSince: false,
  error: undefined,
  peers: 0,
  listed: false,
  outcomes: [],
}

/** Returns what was heard `before`, brought up to date by an event. */
export function heard(
  event: Extract<DiscoveryEvent, { readonly type: 'answer' | 'outcomes' | 'failure' }>,
  before = NOTHING_HEARD,
): LastHeard {
  switch (event.type) {
    case 'answer': {
      const { peers, listed } = event
      // The node is not listed any more, so the outcomes `listed` are out of date.
      const outcomes = before.outcomes.filter(({ status }) => listed || status !== 'listed')
      return { ...before, answers: true, answeredSince: true, peers, listed, outcomes }
    }
    case 'outcomes': {
      const { registrations: outcomes } = event
      return { ...before, outcomes, listed: before.listed || outcomes.some(({ status }) => status === 'listed') }
    }
    case 'failure':
      return { ...before, answers: before.answeredSince, answeredSince: false, error: event.error }
  }
}
