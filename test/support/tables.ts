import { ESTABLISHED_AFTER_MS } from '../../src/registry/liveness.ts'
import type { Registration } from '../../src/registry/registration.ts'
import { Registry } from '../../src/registry/registry.ts'

export const NOW = Date.parse('2026-11-22T12:00:00.000Z')
export const HOUR = 3_600_000

/** A peer to put into a table, proved just now; when established, also a day ago. */
export interface Listed {
  readonly peerId: string
  readonly address: string
  readonly established?: boolean
}

/** A table in which all of these have answered. */
export function tableOf(listed: Iterable<Listed>, network = ''): Registry {
  const registry = new Registry({ listing: 'verified' })
  for (const each of listed) {
    list(registry, each, network)
  }
  return registry
}

export function list(registry: Registry, { peerId, address, established = false }: Listed, network = ''): Registration {
  const began = NOW - ESTABLISHED_AFTER_MS
  const registration = registry.put({ network, peerId, address }, { now: began, expiresAt: NOW + 2 * HOUR })
  if (established) {
    registry.recordProof(registration, 'answered', began)
  }
  registry.recordProof(registration, 'answered', NOW)
  return registration
}
