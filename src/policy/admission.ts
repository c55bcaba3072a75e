// Whether an address may be registered: the rules and limits of the table.

import { type Address, isDialablePort } from '../peer/address.ts'
import type { Caller } from '../peer/caller.ts'
import { type Scope, scopeOf } from '../peer/ip.ts'
import type { RegistrationKey } from '../registry/registration.ts'
import type { RegistryView } from '../registry/registry-view.ts'
import type { AccessList } from './access-list.ts'
import type { RefusalCode } from './refusal.ts'
import { type RoomRules, roomFor } from './room.ts'

export interface AdmissionRules extends RoomRules {
  /** The networks to serve; undefined serves any. */
  readonly networks: ReadonlySet<string> | undefined
  /** Closed networks only: accept addresses at other IPs than the caller's. */
  readonly allowForeignIp: boolean
  /** Closed networks only: accept private addresses from callers of other ranges. */
  readonly allowPrivateIp: boolean
  readonly access: AccessList
}

/** A rule judges a registration: it refuses it, or has no objection. */
type Rule = (candidate: Candidate, rules: AdmissionRules) => RefusalCode | undefined

interface Candidate extends RegistrationKey {
  readonly caller: Caller
  readonly target: Address
  readonly scope: Scope
}

/** The rules on what may be registered, in this order; the first refusal is the answer. */
const RULES: readonly Rule[] = [
  function networkIsServed({ network }, { networks }) {
    return networks === undefined || networks.has(network) ? undefined : 'network_not_served'
  },
  function callerIsWelcome({ caller, target }, { access }) {
    const { peerId, ip } = caller
    return access.permits(peerId, ip) && access.permits(peerId, target.ip) ? undefined : 'denied'
  },
  function addressCanBeReached({ scope }) {
    return scope === 'special' ? 'ip_special' : undefined
  },
  function privateAddressesStayInside({ scope, caller }, { allowPrivateIp }) {
    return scope === 'public' || scope === caller.scope || allowPrivateIp ? undefined : 'ip_private'
  },
  function addressIsTheCallers({ target, caller, scope }, { allowForeignIp, allowPrivateIp }) {
    const relaxed = allowForeignIp || (allowPrivateIp && scope !== 'public')
    return target.ip.text === caller.ip.text || relaxed ? undefined : 'ip_mismatch'
  },
  function portMayBeDialed({ target: { port } }) {
    return isDialablePort(port) ? undefined : 'port_not_allowed'
  },
]

/**
 * Whether an address may be registered, before it is dialled. A registered one may be renewed, however full the table
 * is; for another there has to be room: {@link roomFor}.
 */
export function refuse(
  caller: Caller,
  network: string,
  target: Address,
  rules: AdmissionRules,
  view: RegistryView,
  now: number,
): RefusalCode | undefined {
  const { peerId } = caller
  const candidate = { caller, network, target, peerId, address: target.text, scope: scopeOf(target.ip) }
  for (const rule of RULES) {
    const code = rule(candidate, rules)
    if (code !== undefined) {
      return code
    }
  }
  const room = view.find(candidate) === undefined ? roomFor({ network, peerId, target }, rules, view, now) : []
  return typeof room === 'string' ? room : undefined
}
