// At which IPs a signed record says that its peer is.

import { type Scope, scopeOf } from './ip.ts'
import type { SignedRecord } from './record.ts'
import { readRecordAddress } from './record-address.ts'

/** Where a record says that its peer is. */
export interface RecordPlaces {
  readonly publicIps: readonly string[]
  readonly privateIps: readonly string[]
  /**
   * The private range in which it is valid; `public` when it names no private address, undefined when it names several
   * ranges, and is valid in none.
   */
  readonly scope: Scope | undefined
}

/** Where a record says that its peer is; undefined when an address in it is not one to hand out. */
export function placesOf(record: SignedRecord | 'unsigned'): RecordPlaces | undefined {
  if (record === 'unsigned') {
    return NOWHERE
  }
  const publicIps = new Set<string>()
  const privateIps = new Set<string>()
  const scopes = new Set<Scope>()
  for (const text of record.addresses) {
    const address = readRecordAddress(text, record.peerId)
    const scope = typeof address === 'string' ? 'special' : scopeOf(address.ip)
    if (typeof address === 'string' || scope === 'special') {
      return undefined
    }
    if (scope === 'public') {
      publicIps.add(address.ip.text)
    } else {
      privateIps.add(address.ip.text)
      scopes.add(scope)
    }
  }
  // A caller on the same machine is within all of its private ranges.
  const [scope = 'public'] = scopes.has('loopback') ? ['loopback' as const] : scopes
  const isOfSeveral = scopes.size > 1 && scope !== 'loopback'
  return { publicIps: [...publicIps], privateIps: [...privateIps], scope: isOfSeveral ? undefined : scope }
}

/** Its addresses are written anew for each answer. */
const NOWHERE: RecordPlaces = { publicIps: [], privateIps: [], scope: 'public' }
