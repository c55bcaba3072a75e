import type { ProofResult, Registration } from '../registry/registration.ts'
import type { Registry } from '../registry/registry.ts'
import type { Listing } from './listing.ts'

/**
 * Records that a peer answered at its address, or missed. Readers of the rendezvous protocol that are past a peer see it
 * again when it is handed out again: by this address, or by a record that names it.
 */
export function noteProof(
  { registry, listing }: { readonly registry: Registry; readonly listing: Listing },
  registration: Registration,
  result: ProofResult,
  now: number,
): void {
  const wasHeld = listing.holds(registration)
  registry.recordProof(registration, result, now)
  if (result === 'answered' && !wasHeld) {
    registry.peerRecords.touch(registration.peer)
  }
}
