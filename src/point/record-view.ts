// Which of a peer's registrations let a caller have its signed record.

import { ipOf } from '../peer/address.ts'
import type { SignedRecord } from '../peer/record.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import { mayStillBeHandedOut } from '../policy/record-admission.ts'
import type { RecordedPeer } from '../registry/peer-records.ts'
import type { Registration } from '../registry/registration.ts'
import type { AnswerView } from './listing.ts'
import type { ReadableForm } from './point-api.ts'

/** The registrations for which a peer with a record is handed out: none when the caller is not to have it at all. */
export function shownIn(
  view: AnswerView,
  { peer, record, places }: RecordedPeer,
  form: ReadableForm,
  rules: Pick<AdmissionRules, 'allowForeignIp' | 'allowPrivateIp'>,
): readonly Registration[] {
  const visible = view.addressesOf(peer)
  if (form === 'unsigned') {
    return visible
  }
  if (record === 'unsigned' || places === undefined || !mayStillBeHandedOut(places, ipsOf(visible), rules)) {
    return []
  }
  // Of a private range the caller has only its own; a record of another makes no sense to it.
  return visible.filter(
    (each) => (places.scope === 'public' || each.scope === places.scope) && names(record, each.address),
  )
}

/** Whether one of these is at an IP. */
export function ipsOf(registrations: readonly Registration[]): (ip: string) => boolean {
  return (ip) => registrations.some(({ address }) => ipOf(address).text === ip)
}

/** Whether a record names an address, with or without `/p2p` behind it. */
export function names({ addresses }: SignedRecord, address: string): boolean {
  return addresses.some((each) => each === address || each.startsWith(`${address}/p2p/`))
}
