import type { AskWho } from '../frontends/rendezvous/reader-forms.ts'
import type { Identified, Unidentified } from '../host/identified.ts'
import { formOfEnvelope } from '../peer/record.ts'
import type { RecordAnswer } from '../point/record-learner.ts'

/** What a peer that was asked for its record answered. */
export function recordAnswerOf(told: Identified | Unidentified): RecordAnswer {
  return typeof told === 'object' ? (told.envelope ?? 'none') : told === 'silent' ? 'none' : told
}

/** What a reader says of itself; undefined when it can't be asked now. */
export function readerOf(told: Identified | Unidentified): Awaited<ReturnType<AskWho>> {
  if (typeof told === 'object') {
    return { agent: told.agent, form: told.envelope && formOfEnvelope(told.envelope) }
  }
  return told === 'silent' ? { agent: undefined, form: undefined } : undefined
}
