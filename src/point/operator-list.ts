import type { Clock } from '../base/clock.ts'
import { RecentMap } from '../base/recent-map.ts'
import { ipOf } from '../peer/address.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import {
  countNew,
  isStatic,
  keyOf,
  keyText,
  type Registration,
  type RegistrationKey,
  type RegistrationRecord,
} from '../registry/registration.ts'
import type { Registry } from '../registry/registry.ts'
import type { Contents, Merged, Recovered, Table } from '../store/store.ts'
import type { Watched } from './point-watcher.ts'
import type { ProofResults } from './proof-results.ts'
import type { TableChanges } from './table-change.ts'

export interface OperatorListInit {
  readonly registry: Registry
  readonly changes: TableChanges
  readonly proofs: Pick<ProofResults, 'record'>
  readonly watched: Watched
  readonly rules: Pick<AdmissionRules, 'access'>
  /** How old a proof may be for its address to be handed out, ms. */
  readonly maxProofAge: number
  readonly clock: Clock
}

/** How many addresses taken back are remembered. */
const MAX_TAKEN_BACK = 10_000

/**
 * The table as the operator's file has it: what a start reads from it, what an edit by hand changes, and which peer
 * answers at an entry that names none.
 */
export class OperatorList implements Table {
  readonly #init: OperatorListInit
  /** What peers took back, so that a hand edit of an older list does not bring it back. */
  readonly #takenBack = new RecentMap<string, true>(MAX_TAKEN_BACK)

  constructor(init: OperatorListInit) {
    this.#init = init
  }

  /** Takes in what a store recovered. What was proved longest ago is the first to be proved again. */
  restore({ records, statics, trusted }: Recovered): void {
    const { registry, watched, maxProofAge, clock } = this.#init
    const now = clock()
    registry.setStatics(statics, now)
    for (const record of records) {
      if (this.#mayBeListed(record)) {
        registry.restore(trusted ? record : withoutEnvelope(record), now - maxProofAge)
      }
    }
    for (const registration of [...registry.all()].sort((a, b) => a.provedAt - b.provedAt)) {
      watched.watcher.tracked(registration)
    }
  }

  records() {
    return this.#init.registry.records()
  }

  statics() {
    return this.#init.registry.statics
  }

  /** The operator edited the list by hand while the node ran. What was registered since `since` is not missed in it. */
  merge(edited: Contents, since: number): Merged {
    const { registry, changes, watched, clock } = this.#init
    const now = clock()
    const { statics } = registry
    registry.setStatics(edited.statics, now)
    let added = countNew(edited.statics, statics)
    let removed = countNew(statics, edited.statics)
    const kept = new Set(edited.records.map(keyText))
    for (const record of edited.records) {
      const isNew = registry.find(record) === undefined && !this.#takenBack.has(keyText(record))
      if (isNew && this.#mayBeListed(record)) {
        watched.watcher.tracked(registry.restore({ ...withoutEnvelope(record), provedAt: 0 }, now))
        added += 1
      }
    }
    for (const registration of registry.all()) {
      if (isStatic(registration)) {
        watched.watcher.tracked(registration)
      } else if (registration.registeredAt < since && !kept.has(keyText(keyOf(registration)))) {
        removed += changes.drop(registration) ? 1 : 0
      }
    }
    watched.watcher.changed()
    return { added, removed }
  }

  /** A peer answered at an address of the operator's that names none: it is the peer that the operator meant. */
  identify(key: RegistrationKey): void {
    const { registry, proofs, watched, clock } = this.#init
    const registration = registry.identify(key, clock())
    proofs.record(registration, 'answered')
    watched.watcher.tracked(registration)
  }

  /** A peer takes a registration back. An edit that is read before the store has that is not to bring it back either. */
  tookBack(registration: Registration): void {
    this.#takenBack.set(keyText(keyOf(registration)), true)
  }

  /** It registered again, or the store did not take that it was taken back. */
  isBack(registration: Registration): void {
    this.#takenBack.delete(keyText(keyOf(registration)))
  }

  /** What was kept may be of before the operator changed which peers are welcome. */
  #mayBeListed({ peerId, address }: RegistrationKey): boolean {
    return this.#init.rules.access.permits(peerId, ipOf(address))
  }
}

/** What a file says is not proved, and an envelope is handed out as the peer's own. */
function withoutEnvelope({ envelope: _, ...record }: RegistrationRecord): RegistrationRecord {
  return record
}
