// Registers one address: admission, dial-back, and the change of the table.

import type { Clock } from '../base/clock.ts'
import type { Address } from '../peer/address.ts'
import type { Caller } from '../peer/caller.ts'
import { targetOf } from '../peer/target.ts'
import { type AdmissionRules, refuse } from '../policy/admission.ts'
import { roomFor } from '../policy/room.ts'
import type { Registry } from '../registry/registry.ts'
import type { Listing } from './listing.ts'
import { refused } from './outcomes.ts'
import type { AddressOutcome } from './point-api.ts'
import type { ProofResults } from './proof-results.ts'
import type { Prover } from './prover.ts'
import type { TableChange } from './table-change.ts'

/** What one address takes to be registered. */
export interface RegisterAddressParts {
  readonly registry: Registry
  readonly listing: Listing
  readonly rules: AdmissionRules
  /** Undefined lists what registers, unproved. */
  readonly prover: Pick<Prover, 'prove'> | undefined
  readonly proofs: Pick<ProofResults, 'record'>
  readonly clock: Clock
}

export interface AddressRequest {
  /** As the caller wrote it. */
  readonly requested: string
  readonly caller: Caller
  readonly network: string
  readonly ttlMs: number
  /** Whether a renewal may end sooner than what it renews. */
  readonly mayShorten: boolean
}

/**
 * Admits one address by the rules, dials it back unless it is handed out already, and adds it to the change, which
 * is still to be committed. `pending` when the signal fires before the proof is there.
 */
export async function registerAddress(
  parts: RegisterAddressParts,
  request: AddressRequest,
  change: TableChange,
  signal: AbortSignal,
): Promise<AddressOutcome> {
  const { requested, caller, network } = request
  const target = targetOf(requested, caller)
  if (typeof target === 'string') {
    return refused(requested, target, undefined)
  }
  const code = refuse(caller, network, target, parts.rules, parts.registry, parts.clock())
  return code === undefined
    ? await proveAndKeep(parts, { ...request, target }, change, signal)
    : refused(requested, code, target)
}

async function proveAndKeep(
  { registry, listing, rules, prover, proofs, clock }: RegisterAddressParts,
  { requested, caller, target, network, ttlMs, mayShorten }: AddressRequest & { readonly target: Address },
  change: TableChange,
  signal: AbortSignal,
): Promise<AddressOutcome> {
  const now = clock()
  const key = { network, peerId: caller.peerId, address: target.text }
  const times = { now, expiresAt: now + ttlMs }
  const known = registry.find(key)
  const renewed = known?.provisional === false
  const keep = (status: 'listed' | 'pending'): AddressOutcome => {
    const before = registry.find(key)
    if (before?.provisional !== false) {
      const room = roomFor({ ...key, target }, rules, registry, clock(), before !== undefined)
      // A proved address gives way to a proved one only.
      const isShort =
        status === 'pending' && typeof room !== 'string' && room.some(({ health }) => health === 'reachable')
      if (typeof room === 'string' || isShort) {
        if (before !== undefined) {
          registry.remove(before)
        }
        return refused(requested, typeof room === 'string' ? room : 'dial_busy', target)
      }
      for (const each of room) {
        change.evict(each)
      }
    }
    const least = mayShorten ? 0 : (before?.expiresAt ?? 0)
    const { expiresAt } = change.keep(key, { now: clock(), expiresAt: Math.max(least, times.expiresAt) })
    const end = Number.isFinite(expiresAt) ? expiresAt : undefined
    return { status, requested, address: target.text, renewed, expiresAt: end }
  }

  if (prover === undefined || (known !== undefined && listing.holds(known))) {
    return keep('listed')
  }
  if (known !== undefined && listing.isOverdue(known)) {
    // It has not missed, the proofs are late: it waits for its turn like those that do not ask.
    return keep('pending')
  }
  const proved = known ?? registry.reserve(key, times)
  const proof = await prover.prove(proved, signal)
  if (proof?.ok === false) {
    if (proved.provisional) {
      registry.remove(proved)
    } else if (proof.fault !== 'dial_busy' && registry.find(key) === proved) {
      proofs.record(proved, 'missed')
    }
    return refused(requested, proof.fault, target)
  }
  if (proof?.ok) {
    // It may have been taken back while it was proved; then it is registered again now.
    proofs.record(registry.find(key) ?? registry.reserve(key, times), 'answered')
  }
  return keep(proof === undefined ? 'pending' : 'listed')
}
