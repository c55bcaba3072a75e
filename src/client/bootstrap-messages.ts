// Converts the client's requests and answers to and from the wire, which has seconds where the client has ms.

import { type AnswerFault, decodeAnswer, type Answer as WireAnswer } from '../wire/bootstrap-answers.ts'
import type { RegistrationOutcome } from './bootstrap-answer.ts'

/**
 * The messages of `/bootstrap/1.0.0` as the client has them, with times in ms. The wire counts whole seconds; nothing else in
 * the client converts.
 */

/** A request to a bootstrap. What is undefined is left to the bootstrap. */
export interface Request {
  readonly network: string
  readonly addresses?: readonly string[]
  /** ms; 0 takes the addresses back. */
  readonly ttl?: number | undefined
  readonly limit?: number | undefined
  readonly explain: boolean
}

/** An answer of a bootstrap as the wire has it, with times in ms. */
export interface Answer extends Omit<WireAnswer, 'registrations' | 'error'> {
  readonly registrations: readonly RegistrationOutcome[]
  readonly error: AnswerError | undefined
}

export interface AnswerError {
  readonly code: string
  readonly message: string
  /** How long the bootstrap asks to wait, ms. */
  readonly retryAfter: number | undefined
}

/** Returns the line of a request, without its line end. Its times are in seconds, as the wire has them. */
export function requestLine({ ttl, ...request }: Request): string {
  return JSON.stringify({ ...request, ttl: ttl === undefined ? undefined : Math.floor(ttl / 1000) })
}

/** Reads the line of an answer. Any bytes give an answer or a fault. */
export function readAnswer(line: Uint8Array): Answer | AnswerFault {
  const answer = decodeAnswer(line)
  if (typeof answer === 'string') {
    return answer
  }
  const { error } = answer
  return {
    ...answer,
    registrations: answer.registrations.map((outcome) => ({
      ...outcome,
      expiresIn: outcome.expiresIn === null ? null : toMs(outcome.expiresIn),
    })),
    error: error && { ...error, retryAfter: error.retryAfter === undefined ? undefined : toMs(error.retryAfter) },
  }
}

function toMs(seconds: number): number {
  return seconds * 1000
}
