import { type Address, isDialablePort } from '../peer/address.ts'
import type { Caller } from '../peer/caller.ts'
import { type Scope, scopeOf } from '../peer/ip.ts'
import { type Neighbourhood, neighbourhoodsOf } from '../registry/occupancy.ts'
import type { RegistrationKey } from '../registry/registration.ts'
import type { RegistryView } from '../registry/registry-view.ts'
import type { AccessList } from './access-list.ts'
import type { RefusalCode } from './refusal.ts'

export interface AdmissionRules {
  /** The networks to serve; undefined serves any. */
  readonly networks: ReadonlySet<string> | undefined
  readonly maxNetworks: number
  readonly maxRegistrations: number
  readonly maxPeersPerNetwork: number
  /** Closed networks only: accept addresses at other IPs than the caller's. */
  readonly allowForeignIp: boolean
  /** Closed networks only: accept private addresses from callers of other ranges. */
  readonly allowPrivateIp: boolean
  /** Closed networks only: no limits by IP and subnet. */
  readonly unlimitedNeighbours: boolean
  readonly access: AccessList
}

/**
 * How many registrations each subnet may hold. They keep one operator from filling the table's memory. Selection
 * limits what is in an answer, so these can be wide enough for honest crowds: a hosting company's /16 holds hundreds
 * of nodes, and a machine runs a dozen chains.
 */
export const PUBLIC_LIMITS: Readonly<Record<Exclude<Neighbourhood, 'scope'>, number>> = {
  ip: 16,
  'ip4/24': 64,
  'ip4/16': 1024,
  'ip6/64': 16,
  'ip6/56': 32,
  'ip6/48': 64,
  'ip6/32': 1024,
  peer: 64,
}
/** Loopback and private ranges hold whole test networks on one machine, and reach no network outside. */
export const PRIVATE_LIMITS = { ip: 16_384, scope: 32_768 } as const

/** A rule judges a registration that would be new: it refuses it, or has no objection. */
type Rule = (candidate: Candidate, rules: AdmissionRules, view: RegistryView) => RefusalCode | undefined

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

/** The rules on room for one more. They hold for newcomers only. */
const LIMITS: readonly Rule[] = [
  function networkHasRoom({ network }, rules, view) {
    const size = view.networkSize(network)
    if (size >= rules.maxPeersPerNetwork) {
      return 'limit_network'
    }
    // The default network always exists, so that invented names can't crowd it out.
    return size === 0 && network !== '' && view.networkCount >= rules.maxNetworks ? 'limit_networks' : undefined
  },
  function tableHasRoom(_, { maxRegistrations }, view) {
    return view.size >= maxRegistrations ? 'limit_total' : undefined
  },
  function peerHasRoom({ peerId }, _, { occupancy }) {
    return occupancy.count('peer', peerId) >= PUBLIC_LIMITS.peer ? 'limit_peer' : undefined
  },
  function neighbourhoodHasRoom({ target, scope }, { unlimitedNeighbours }, { occupancy }) {
    if (unlimitedNeighbours) {
      return undefined
    }
    const full = neighbourhoodsOf(target.ip, scope).find(
      ([kind, key]) => occupancy.count(kind, key) >= limitOf(kind, scope),
    )
    return full === undefined ? undefined : FULL[full[0]]
  },
]

const FULL: Readonly<Record<Neighbourhood, RefusalCode>> = {
  ip: 'limit_ip',
  scope: 'limit_range',
  peer: 'limit_peer',
  'ip4/24': 'limit_subnet',
  'ip4/16': 'limit_subnet',
  'ip6/64': 'limit_ip',
  'ip6/56': 'limit_subnet',
  'ip6/48': 'limit_subnet',
  'ip6/32': 'limit_subnet',
}

/** Why an address may not be registered, before it is dialed. What is registered already stays, however full it is. */
export function refuse(
  caller: Caller,
  network: string,
  target: Address,
  rules: AdmissionRules,
  view: RegistryView,
): RefusalCode | undefined {
  const candidate = { caller, network, target, peerId: caller.peerId, address: target.text, scope: scopeOf(target.ip) }
  for (const rule of view.find(candidate) === undefined ? [...RULES, ...LIMITS] : RULES) {
    const code = rule(candidate, rules, view)
    if (code !== undefined) {
      return code
    }
  }
  return undefined
}

function limitOf(kind: Neighbourhood, scope: Scope): number {
  if (kind === 'scope') {
    return PRIVATE_LIMITS.scope
  }
  return scope !== 'public' && kind === 'ip' ? PRIVATE_LIMITS.ip : PUBLIC_LIMITS[kind]
}
