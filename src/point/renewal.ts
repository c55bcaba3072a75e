// Which renewals are written to the store, and which are answered with the end that it has.

import type { SignedRecord } from '../peer/record.ts'
import type { OwnRecord } from '../registry/peer-records.ts'
import { keyOf, type Registration } from '../registry/registration.ts'
import type { Registry } from '../registry/registry.ts'

/** A renewal that moves the end by less than this part of the time that it asks for is not written. */
const LEAST_MOVE = 0.1
/** How often the renewals of one registration are written, ms: a registration of 60 s may be renewed every 30 s. */
const WRITE_INTERVAL_MS = 10_000
/** How many may be written at once. */
const WRITE_BURST = 4

/**
 * Whether a renewal is to be written. One that is not leaves the registration as the store has it, and is answered with the
 * end that the store has: what was answered survives a crash, and a peer that renews 20 times a second does not fill the
 * disk. See `docs/decisions/0021-renewals.md`.
 */
export function isWorthWriting(
  registration: Registration,
  { now, expiresAt }: { readonly now: number; readonly expiresAt: number },
): boolean {
  const move = Math.abs(expiresAt - registration.expiresAt)
  return move >= LEAST_MOVE * (expiresAt - now) && mayBeWritten(registration, now)
}

/** Whether a renewal may be written now: on average one in {@link WRITE_INTERVAL_MS}. */
export function mayBeWritten({ writableAt }: Registration, now: number): boolean {
  return writableAt <= now + (WRITE_BURST - 1) * WRITE_INTERVAL_MS
}

/** Counts a renewal that is written. */
export function countWrite(registration: Registration, now: number): void {
  registration.writableAt = Math.max(registration.writableAt, now) + WRITE_INTERVAL_MS
}

/** Whether a record names what the one before it does: rust-libp2p signs a new one for each renewal. */
export function saysTheSame(record: OwnRecord, known: OwnRecord | undefined): boolean {
  if (known === undefined || record === 'unsigned' || known === 'unsigned') {
    return record === known
  }
  return record.form === known.form && addressesOf(record) === addressesOf(known)
}

/** Whether a newer record is known. */
export function isOlder(record: OwnRecord, known: OwnRecord | undefined): boolean {
  return record !== 'unsigned' && known !== undefined && known !== 'unsigned' && known.seq > record.seq
}

function addressesOf({ addresses }: SignedRecord): string {
  return [...addresses].sort().join(' ')
}

/** Renewals that are on their way to the disk: what the store has of a registration is not what it says meanwhile. */
export class RenewalsUnderWay {
  readonly #of = new Map<Registration, { count: number; stored: number }>()

  has(registration: Registration): boolean {
    return this.#of.has(registration)
  }

  /** One begins, of a registration whose end the store had as `stored` before the first of them. */
  begin(registration: Registration, stored: number): void {
    const underWay = this.#of.get(registration)
    if (underWay === undefined) {
      this.#of.set(registration, { count: 1, stored })
    } else {
      underWay.count++
    }
  }

  /**
   * Those of a request are over, with the ends that it asked for. After the last renewal of a registration it ends when
   * the store has it: what the store did not take did not happen.
   */
  endAll(ends: Map<Registration, number>, isStored: boolean, registry: Registry): void {
    for (const [registration, end] of ends) {
      const stored = this.#end(registration, isStored ? end : undefined)
      const key = keyOf(registration)
      if (stored !== undefined && stored !== registration.expiresAt && registry.find(key) === registration) {
        registry.put(key, { now: 0, expiresAt: stored })
      }
    }
    ends.clear()
  }

  /** Returns the end that the store has, after the last of them. */
  #end(registration: Registration, written: number | undefined): number | undefined {
    const underWay = this.#of.get(registration)!
    underWay.stored = written ?? underWay.stored
    underWay.count--
    if (underWay.count > 0) {
      return undefined
    }
    this.#of.delete(registration)
    return underWay.stored
  }
}
