// The table as the operator's file has it: restore, merge an edit, static entries.

import type { Clock } from '../base/clock.ts'
import { RecentMap } from '../base/recent-map.ts'
import type { AdmissionRules } from '../policy/admission.ts'
import { type ListEntry, refuseEntry } from '../policy/list-admission.ts'
import { refusal } from '../policy/refusal.ts'
import {
  countNew,
  isStatic,
  keyOf,
  keyText,
  type Registration,
  type RegistrationKey,
  type RegistrationRecord,
  type StaticEntry,
} from '../registry/registration.ts'
import type { Registry } from '../registry/registry.ts'
import type { Contents, Merged, Recovered, Table, UnservedEntries } from '../store/store.ts'
import type { Watched } from './point-watcher.ts'
import type { ProofResults } from './proof-results.ts'
import type { TableChanges } from './table-change.ts'

export interface OperatorListInit {
  readonly registry: Registry
  readonly changes: TableChanges
  readonly proofs: Pick<ProofResults, 'record'>
  readonly watched: Watched
  readonly rules: Pick<AdmissionRules, 'access' | 'networks'>
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

  /**
   * Takes in what a store recovered. What was proved longest ago is the first to be proved again. Returns
   * warnings for the operator: which entries are not served.
   */
  restore({ records, statics, trusted }: Recovered): readonly string[] {
    const { registry, watched, maxProofAge, clock } = this.#init
    const now = clock()
    const unserved = new Unserved(this.#init.rules)
    registry.setStatics(unserved.without(statics), now)
    for (const record of records) {
      if (unserved.passes(record)) {
        registry.restore(trusted ? record : withoutEnvelope(record), now - maxProofAge)
      }
    }
    for (const registration of [...registry.all()].sort((a, b) => a.provedAt - b.provedAt)) {
      watched.watcher.tracked(registration)
    }
    return unserved.entries === undefined ? [] : [warningOf(unserved.entries)]
  }

  records() {
    return this.#init.changes.records()
  }

  statics() {
    return this.#init.registry.statics
  }

  /** The operator edited the list by hand while the node ran. What was registered since `since` is not missed in it. */
  merge(edited: Contents, since: number): Merged {
    const { registry, changes, watched, clock } = this.#init
    const now = clock()
    const { statics } = registry
    const unserved = new Unserved(this.#init.rules)
    registry.setStatics(unserved.without(edited.statics), now)
    let added = countNew(edited.statics, statics)
    let removed = countNew(statics, edited.statics)
    const kept = new Set(edited.records.map(keyText))
    for (const record of edited.records) {
      const isNew = registry.find(record) === undefined && !this.#takenBack.has(keyText(record))
      if (unserved.passes(record) && isNew) {
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
    return { added, removed, ...(unserved.entries && { unserved: unserved.entries }) }
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
}

function warningOf({ count, named }: UnservedEntries): string {
  const more = count === named.length ? '' : `; and ${count - named.length} more`
  return `entries of the list that are not served: ${count}. ${named.join('; ')}${more}`
}

/** An operator corrects a few entries, and then looks again. */
const MAX_NAMED = 10

/** Looks at the entries of a list, and counts those that the rules do not let be served. */
class Unserved {
  readonly #rules: OperatorListInit['rules']
  readonly #named: string[] = []
  #count = 0

  constructor(rules: OperatorListInit['rules']) {
    this.#rules = rules
  }

  get entries(): UnservedEntries | undefined {
    return this.#count === 0 ? undefined : { count: this.#count, named: this.#named }
  }

  passes(entry: ListEntry): boolean {
    const code = refuseEntry(entry, this.#rules)
    if (code === undefined) {
      return true
    }
    this.#count++
    if (this.#named.length < MAX_NAMED) {
      const { address, peerId, network } = entry
      const where = network === '' ? '' : ` in ${JSON.stringify(network)}`
      this.#named.push(`${address}${peerId === undefined ? '' : `/p2p/${peerId}`}${where}: ${refusal(code).message}`)
    }
    return false
  }

  /** The operator's own stay in the file as they are, but nothing comes of those that are not served. */
  without(statics: readonly StaticEntry[]): readonly StaticEntry[] {
    return statics.map((each) =>
      each.registration === undefined || this.passes(each.registration) ? each : { ...each, registration: undefined },
    )
  }
}

/** What a file says is not proved, and an envelope is handed out as the peer's own. */
function withoutEnvelope({ envelope: _, ...record }: RegistrationRecord): RegistrationRecord {
  return record
}
