// Outcomes of addresses, for the answers to registrations.

import type { Address } from '../peer/address.ts'
import { type RefusalCode, refusal } from '../policy/refusal.ts'
import type { AddressOutcome } from './point-api.ts'

/** The outcome of an address that is refused. `target` is undefined when the text is no address. */
export function refused(requested: string, code: RefusalCode, target: Address | undefined): AddressOutcome {
  return { status: 'refused', requested, address: target?.text, refusal: refusal(code) }
}

/** What becomes of an outcome when the store takes no change. */
export function unavailable({ requested, address }: AddressOutcome): AddressOutcome {
  return { status: 'refused', requested, address, refusal: refusal('unavailable') }
}
