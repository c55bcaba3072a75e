// What the bootstraps of a discovery are made from, and what is known of each.

import type { Random } from '../../base/random.ts'
import type { Family } from '../addresses-to-register.ts'
import type { BootstrapAnswer, RegistrationOutcome } from '../bootstrap-answer.ts'
import type { BootstrapError } from '../bootstrap-error.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Session, SessionClient } from './bootstrap-session.ts'

/** The longest pause between two answers that counts, in refreshes: a machine that slept was not answered. */
export const LONGEST_PAUSE = 2

/** Makes the client of the bootstrap at these addresses. */
export type Connect = (addresses: readonly string[]) => SessionClient

export interface BootstrapsInit {
  readonly connect: Connect
  /** What to register with a bootstrap at these addresses; over a connection of `family`, when it is known. */
  readonly addresses: (bootstrap: readonly string[], family?: Family) => readonly string[]
  readonly ownId: string
  readonly ttl: number
  readonly refreshInterval: number
  readonly wantsMore: () => boolean
  readonly scheduler: Scheduler
  readonly random: Random
  readonly onAnswer: (bootstrap: Bootstrap, answer: BootstrapAnswer) => void
  readonly onOutcomes: (bootstrap: Bootstrap, outcomes: readonly RegistrationOutcome[]) => void
  readonly onFailure: (bootstrap: Bootstrap, error: BootstrapError, retryIn: number) => void
  /** One that was learned has answered for the first time. */
  readonly onMet: (bootstrap: Bootstrap) => void
  /** What is to be remembered of one that was learned has changed. */
  readonly onChanged: (bootstrap: LearnedBootstrap) => void
  /** One is no longer asked, or not to be remembered. */
  readonly onGone: (id: string) => void
  /** On stop this node was taken off its list, or the bootstrap gave no answer. */
  readonly onUnregistered: (bootstrap: Bootstrap, error: BootstrapError | undefined) => void
}

export interface Bootstrap {
  readonly id: string
  addresses: readonly string[]
  /** Who it speaks for: a PeerId or a `/dnsaddr` name of the configuration. All of one origin have one voice. */
  origin: string
  /** PeerId of the configured bootstrap that named it; undefined for one that is configured itself. */
  readonly namedBy: string | undefined
  /** For how long its namer has answered without naming it, ms. */
  unnamedMs: number
  readonly session: Session
  /** Whether it has answered in this run or an earlier one. */
  met: boolean
  /** When it last answered, ms; undefined when it failed since. */
  answeredAt: number | undefined
}

export type LearnedBootstrap = Bootstrap & { readonly namedBy: string }

export function isLearned(bootstrap: Bootstrap): bootstrap is LearnedBootstrap {
  return bootstrap.namedBy !== undefined
}

export function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && new Set([...some, ...others]).size === new Set(some).size
}
