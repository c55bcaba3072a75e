// The options of the service with their defaults.

import { type Clock, steadyClock } from '../base/clock.ts'
import { type Random, secureRandom } from '../base/random.ts'
import { type DisabledParts, disabledParts } from '../host/host-init.ts'
import {
  MAX_NETWORKS,
  MAX_PEERS,
  MAX_PEERS_PER_NETWORK,
  PROOF_CPU_PERCENT,
  REPROVE_INTERVAL_MS,
} from '../peer/limits.ts'
import { accessList } from '../policy/access-list.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import type { Store } from '../store/store.ts'
import type { BootstrapServiceInit } from './service-init.ts'

/** {@link BootstrapServiceInit} with its defaults, and where time and randomness come from. */
export interface ServiceSettings extends Sources {
  readonly file: string | undefined
  readonly acceptEdit: boolean
  readonly store: Store | undefined
  readonly rules: AdmissionRules
  readonly listing: 'verified' | 'registered'
  /** In ms. */
  readonly reproveInterval: number
  /** Of one core, 0 to 4. */
  readonly proofCpuShare: number
  readonly siblings: readonly string[]
  readonly rendezvous: boolean
  readonly disabled: DisabledParts
  readonly legacyTcp: number | undefined
}

/** Where time and randomness come from. */
export interface Sources {
  readonly clock: Clock
  readonly random: Random
}

/** @param sources for tests; the system's where they are left out */
export function serviceSettings(init: BootstrapServiceInit, sources: Partial<Sources> = {}): ServiceSettings {
  return {
    file: init.file,
    acceptEdit: init.acceptEdit ?? false,
    store: init.store,
    rules: admissionRules(init),
    listing: init.listing ?? 'verified',
    reproveInterval: init.reproveInterval ?? REPROVE_INTERVAL_MS,
    proofCpuShare: (init.proofCpuPercent ?? PROOF_CPU_PERCENT) / 100,
    siblings: init.siblings ?? [],
    rendezvous: init.rendezvous ?? true,
    disabled: disabledParts(init.disable),
    legacyTcp: init.legacyTcp,
    clock: sources.clock ?? steadyClock(),
    random: sources.random ?? secureRandom(),
  }
}

function admissionRules(init: BootstrapServiceInit): AdmissionRules {
  return {
    networks: init.networks === undefined ? undefined : new Set(init.networks),
    maxNetworks: init.maxNetworks ?? MAX_NETWORKS,
    maxRegistrations: init.maxPeers ?? MAX_PEERS,
    maxPeersPerNetwork: init.maxPeersPerNetwork ?? MAX_PEERS_PER_NETWORK,
    allowForeignIp: init.allowForeignIp ?? false,
    allowPrivateIp: init.allowPrivateIp ?? false,
    unlimitedNeighbours: init.unlimitedNeighbours ?? false,
    access: accessList({ deny: init.deny ?? [], allow: init.allow ?? [] }),
  }
}
