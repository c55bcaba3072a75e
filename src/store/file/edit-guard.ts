import { keyText, type RegistrationRecord } from '../../registry/registration.ts'
import type { Contents, RefusedEdit } from '../store.ts'

/** The same content, signalled again this long after it was refused, ms: no tool that signals twice is that slow. */
const CONFIRM_AFTER_MS = 5000
/** And no later than this: what was signalled an hour ago is forgotten. */
const CONFIRM_WITHIN_MS = 60_000
/** A list that is shorter is edited as a whole: two lines taken out of three are no slip. */
const GUARDED_FROM = 20

/** How many registrations an edit leaves out, of all that there are. */
export interface Loss {
  readonly dropped: number
  readonly of: number
}

export interface EditGuard {
  /**
   * Undefined when the edit may be taken; else what the operator is told. `hash` is that of its content, `signalledAt`
   * when the operator asked for it to be taken (ms), undefined when it was only found.
   */
  refusal(hash: string, loss: Loss, signalledAt: number | undefined): RefusedEdit | undefined
  /** The operator asked for another content to be taken. */
  forget(): void
}

/**
 * An empty file, the wrong file, a list cut by a script: an edit that leaves out most of what is registered is taken only
 * when the operator means it, and says so twice.
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
      return { outcome: 'refused', ...loss, confirmIn }
    },
    forget() {
      refused = undefined
    },
  }
}

export function isGreat({ dropped, of }: Loss): boolean {
  return of >= GUARDED_FROM && dropped * 2 > of
}

/** What would go of `records` if the list were as it is in `edited`: what was registered before `since` and is not in it. */
export function lossBy(
  { records, statics }: { readonly records: Iterable<RegistrationRecord>; readonly statics: Contents['statics'] },
  known: Iterable<RegistrationRecord>,
  { since, now }: { readonly since: number; readonly now: number },
): Loss {
  const kept = new Set(Iterator.from(records).map(keyText))
  for (const { registration } of statics) {
    if (registration !== undefined) {
      kept.add(keyText({ ...registration, peerId: registration.peerId ?? '' }))
    }
  }
  let [dropped, of] = [0, 0]
  for (const record of known) {
    if (record.expiresAt > now) {
      of += 1
      dropped += record.registeredAt < since && !kept.has(keyText(record)) ? 1 : 0
    }
  }
  return { dropped, of }
}
