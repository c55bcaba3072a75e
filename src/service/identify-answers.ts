// Converts the result of identify: for the point, the peer's signed record; for rendezvous, which records it can read.

import type { AskWho } from '../frontends/rendezvous/reader-forms.ts'
import type { Identified, Unidentified } from '../host/identified.ts'
import { formOfEnvelope } from '../peer/record.ts'
import type { RecordAnswer } from '../point/record-learner.ts'

/** Reads from a peer's answer to identify which signed record it shows. */
export function recordAnswerOf(answer: Identified | Unidentified): RecordAnswer {
  return typeof answer === 'object' ? (answer.envelope ?? 'none') : answer === 'silent' ? 'none' : answer
}

/** Reads from a caller's answer to identify which records it can read; undefined when it cannot be asked now. */
export function readerOf(answer: Identified | Unidentified): Awaited<ReturnType<AskWho>> {
  if (typeof answer === 'object') {
    return { agent: answer.agent, form: answer.envelope && formOfEnvelope(answer.envelope) }
  }
  return answer === 'silent' ? { agent: undefined, form: undefined } : undefined
}
