// Refuses an edit of the list that leaves out most registrations, until the operator confirms it.

import { keyText, type RegistrationRecord } from '../../registry/registration.ts'
import type { Contents, RefusedEdit } from '../store.ts'

/** How long after its refusal the same content must be signalled again, ms: no tool that signals twice is that slow. */
const CONFIRM_AFTER_MS = 5000
/** The latest time for that, ms: an earlier signal is forgotten. */
const CONFIRM_WITHIN_MS = 60_000
/** An edit of a shorter list is always taken: two lines removed out of three are no mistake. */
const GUARDED_FROM = 20

/** How many registrations an edit leaves out, of all that there are. */
export interface Loss {
  readonly dropped: number
  readonly of: number
}

export interface EditGuard {
  /**
   * Returns undefined when the edit may be taken, else the warning for the operator. `hash` is that of its content,
   * `signalledAt` when the operator asked for it to be taken (ms), undefined when it was only found.
   */
  refusal(hash: string, loss: Loss, signalledAt: number | undefined): RefusedEdit | undefined
  /** The operator asked for other content to be taken. */
  forget(): void
}

/**
 * Guards against an empty file, the wrong file, or a list cut by a script: an edit that leaves out most of the
 * registrations is taken only when the operator confirms it.
 */
export function editGuard(): EditGuard {
  let refused: { readonly hash: string; readonly signalledAt: number | undefined } | undefined

  return {
    refusal(hash, loss, signalledAt) {
      const first = refused?.hash === hash ? refused.signalledAt : undefined
      const age = first === undefined || signalledAt === undefined ? undefined : signalledAt - first
      const confirmed = age !== undefined && age >= CONFIRM_AFTER_MS && age <= CONFIRM_WITHIN_MS
      if (confirmed || !isGreat(loss)) {
        refused = undefined
        return undefined
      }
      const inTime = age !== undefined && age <= CONFIRM_WITHIN_MS
      refused = { hash, signalledAt: inTime ? first : (signalledAt ?? first) }
      const confirmIn = signalledAt === undefined ? undefined : CONFIRM_AFTER_MS - (inTime ? age : 0)
      return { outcome: 'refused', dropped: loss.dropped, of: loss.of, confirmIn }
    },
    forget() {
      refused = undefined
    },
  }
}

export function isGreat({ dropped, of }: Loss): boolean {
  return of >= GUARDED_FROM && dropped * 2 > of
}

/** The registrations of `known` that an edit leaves out, by whether they were registered before `since`. */
export function lossBy(
  { records, statics }: { readonly records: Iterable<RegistrationRecord>; readonly statics: Contents['statics'] },
  known: Iterable<RegistrationRecord>,
  { since, now }: { readonly since: number; readonly now: number },
): Loss & { readonly newer: readonly RegistrationRecord[] } {
  const kept = new Set(Iterator.from(records).map(keyText))
  for (const { registration } of statics) {
    if (registration !== undefined) {
      kept.add(keyText({ ...registration, peerId: registration.peerId ?? '' }))
    }
  }
  const newer: RegistrationRecord[] = []
  let [dropped, of] = [0, 0]
  for (const record of known) {
    if (record.expiresAt > now) {
      of += 1
      if (!kept.has(keyText(record))) {
        if (record.registeredAt < since) {
          dropped += 1
        } else {
          newer.push(record)
        }
      }
    }
  }
  return { dropped, of, newer }
}
