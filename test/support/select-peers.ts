import type { Random } from '../../src/base/random.ts'
import { type SelectionQuery, type SelectionView, selectRegistrations } from '../../src/policy/selection.ts'
import type { RegisteredPeer } from '../../src/registry/registration.ts'

/** The peers that an answer would be made of. */
export function selectPeers(view: SelectionView, query: SelectionQuery, random: Random): RegisteredPeer[] {
  return selectRegistrations(view, query, random).map(({ peer }) => peer)
}
