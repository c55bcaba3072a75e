// Whether there is room for a registration, and what gives way to it: the limits by subnet.

import type { Address } from '../peer/address.ts'
import { type Scope, scopeOf } from '../peer/ip.ts'
import { type Neighbourhood, neighbourhoodsOf, pathOf } from '../registry/neighbourhoods.ts'
import { isStatic, type Registration } from '../registry/registration.ts'
import type { RegistryView } from '../registry/registry-view.ts'
import type { RefusalCode } from './refusal.ts'

export interface RoomRules {
  readonly maxNetworks: number
  readonly maxRegistrations: number
  readonly maxPeersPerNetwork: number
  /** Closed networks only: no limits by IP and subnet. */
  readonly unlimitedNeighbours: boolean
}

/**
 * How many registrations each subnet may hold in one network. They keep one operator from filling the table's memory.
 * Selection limits what is in an answer, so these can be wide enough for honest crowds: a hosting company's /16 holds
 * hundreds of nodes.
 */
export const PUBLIC_LIMITS = {
  ip: 16,
  'ip4/24': 64,
  'ip4/16': 1024,
  'ip6/64': 16,
  'ip6/56': 32,
  'ip6/48': 64,
  'ip6/32': 1024,
  peer: 64,
} as const satisfies Readonly<Record<Exclude<Neighbourhood, 'scope'>, number>>
/**
 * The same over all networks, and of one peer. Four times as many of a subnet, so that networks that no client asks
 * for do not take the room of another. As many of an address: a machine runs a dozen chains, and 64 addresses must not
 * have two peers in each of 1000 networks.
 */
export const PUBLIC_LIMITS_OF_ALL = {
  ip: 16,
  'ip4/24': 256,
  'ip4/16': 4096,
  'ip6/64': 32,
  'ip6/56': 128,
  'ip6/48': 256,
  'ip6/32': 4096,
  peer: 64,
} as const satisfies Readonly<Record<Exclude<Neighbourhood, 'scope'>, number>>
/** Loopback and private ranges hold whole test networks on one machine, and are not reachable from outside. */
export const PRIVATE_LIMITS = { ip: 16_384, scope: 32_768 } as const

/** An address that has been proved for this long, ms, gives way to no one. */
export const PROTECTED_AFTER_MS = 3_600_000

/** What would be registered. */
export interface Newcomer {
  readonly network: string
  readonly peerId: string
  readonly target: Address
}

/**
 * Whether there is room for a registration that would be new, and which others give way for it: none where there is room
 * anyway. In a full subnet shares are fair: the newcomer takes the newest place of the most crowded part of it, when that
 * part has at least two places more than the newcomer's own. An address that has been proved for an hour stays.
 *
 * @param isCounted whether the newcomer has a reservation, and is counted already.
 */
export function roomFor(
  newcomer: Newcomer,
  rules: RoomRules,
  view: RegistryView,
  now: number,
  isCounted = false,
): readonly Registration[] | RefusalCode {
  const { network, peerId, target } = newcomer
  const counted = isCounted ? 1 : 0
  if (!isCounted && view.networkSize(network) >= rules.maxPeersPerNetwork) {
    return 'limit_network'
  }
  if (!isCounted && view.size >= rules.maxRegistrations) {
    return 'limit_total'
  }
  if (view.occupancy.count('peer', peerId) - counted >= PUBLIC_LIMITS.peer) {
    return 'limit_peer'
  }
  const scope = scopeOf(target.ip)
  const places = neighbourhoodsOf(target.ip, scope)
  const victims = new Set<Registration>()

  // The default network always exists, so that invented names can't crowd it out.
  const isNew = network !== '' && (isCounted ? view.spareNetworks.isEmpty(network) : view.networkSize(network) === 0)
  if (isNew && view.networkCount - counted >= rules.maxNetworks) {
    const given = view.spareNetworks.whoGivesWay(pathOf(places), network)
    if (given === undefined) {
      return 'limit_networks'
    }
    for (const { registrations } of view.peers(given)) {
      for (const each of registrations) {
        victims.add(each)
      }
    }
  }

  const full = rules.unlimitedNeighbours ? undefined : makeRoom({ network, places, scope, counted }, view, now, victims)
  return full === undefined ? [...victims] : FULL[full]
}

/** Adds those that give way in the newcomer's neighbourhoods. Returns the one that is full when none may. */
function makeRoom(
  {
    network,
    places,
    scope,
    counted,
  }: {
    readonly network: string
    readonly places: ReturnType<typeof neighbourhoodsOf>
    readonly scope: Scope
    readonly counted: 0 | 1
  },
  { occupancy }: RegistryView,
  now: number,
  victims: Set<Registration>,
): Neighbourhood | undefined {
  // What a network holds of a place is no more than what all of them do.
  if (places.every(([kind, key]) => occupancy.count(kind, key) - counted < limitOf(kind, scope, PUBLIC_LIMITS))) {
    return undefined
  }
  const path = pathOf(places)
  const crowd = occupancy.crowdAt(places)
  const given = new Set<Registration>()
  // From the smallest place out: what gives way in one makes room in all around it.
  for (const [at, [kind]] of places.entries()) {
    for (const [shares, limits, isOfNetwork] of [
      [crowd.of(network), PUBLIC_LIMITS, true],
      [crowd.all, PUBLIC_LIMITS_OF_ALL, false],
    ] as const) {
      const made = isOfNetwork ? [...given].filter(({ peer }) => peer.network === network).length : given.size
      const depth = path.length - at
      const count = (shares?.count(path, depth) ?? 0) - counted - made
      if (shares === undefined || count < limitOf(kind, scope, limits)) {
        continue
      }
      const victim = shares.whoGivesWay(path, depth, { mayGo: (each) => mayGo(each, now), counted })
      if (victim === undefined) {
        return kind
      }
      given.add(victim)
      victims.add(victim)
    }
  }
  return undefined
}

/** Whether a registration may give way to another: unless it is the operator's, or has been proved for long. */
function mayGo(registration: Registration, now: number): boolean {
  const { health, provedSince } = registration
  return !isStatic(registration) && !(health === 'reachable' && now - provedSince >= PROTECTED_AFTER_MS)
}

function limitOf(kind: Neighbourhood, scope: Scope, limits: Readonly<Record<Exclude<Neighbourhood, 'scope'>, number>>) {
  if (kind === 'scope') {
    return PRIVATE_LIMITS.scope
  }
  return scope !== 'public' && kind === 'ip' ? PRIVATE_LIMITS.ip : limits[kind]
}

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
