// The places of exchanges: who gets one, for how long, and which silent one gives way.

import type { Caller } from '../../peer/caller.ts'
import { isLimited, subnetsOf } from '../../peer/ip.ts'

/** Exchanges at a time, over all connections and all frontends; the limits of libp2p are by connection only. */
export const MAX_EXCHANGES = 4096
/**
 * Of one public IPv4 address or IPv6 /56, and of one /24 or /48: four for each of the 8 connections of an IP, two for
 * each of the 64 of a subnet. An honest client has one or two.
 */
export const MAX_EXCHANGES_OF_IP = 32
export const MAX_EXCHANGES_OF_SUBNET = 128
/** How long a request may take to arrive, ms, from when it is asked for: until half of the places are taken, and at the last one. */
export const READ_TIMEOUT_MS = 5000
export const SHORTEST_READ_TIMEOUT_MS = 500
/** The share of places up to which nothing is cut short. */
const CROWDED = 0.5

/** Network group, subnet, IP and PeerId of a caller: in each, the one with the most places gives way first. */
type Path = readonly [networkGroup: string, subnet: string, ip: string, peerId: string]
const SUBNET = 2
const IP = 3

/**
 * The places of exchanges, shared by all callers. A newcomer that finds none takes the place of a silent exchange, one
 * whose caller has sent no request yet, or none since the last answer: the longest silent of the most crowded network
 * group, in it of the most crowded subnet, IP and PeerId. It has to have at least two places fewer there itself, so that
 * equals do not take turns. An exchange that is being served never gives way. Constructing does nothing.
 */
export class Places {
  readonly #root = new Group(undefined, '')
  readonly #max: number
  readonly #publicLimits: ReadonlyArray<readonly [depth: number, most: number]>
  /** An address of a private range may be a whole test network, or the NAT in front of this node. */
  readonly #otherLimits: ReadonlyArray<readonly [depth: number, most: number]>

  constructor(max: number = MAX_EXCHANGES) {
    this.#max = max
    this.#otherLimits = [[0, max]]
    this.#publicLimits = [[IP, MAX_EXCHANGES_OF_IP], [SUBNET, MAX_EXCHANGES_OF_SUBNET], ...this.#otherLimits]
  }

  get taken(): number {
    return this.#root.taken
  }

  /** Places whose callers have sent no request yet, or none since the last answer. */
  get silent(): number {
    return this.#root.silent
  }

  /** Whether more than half of the places are taken. */
  get isCrowded(): boolean {
    return this.taken > this.#max * CROWDED
  }

  /** How long a request may take to arrive now, whole ms. It falls linearly from half of the places to the last. */
  get readTimeout(): number {
    const over = Math.max(0, this.taken / this.#max - CROWDED) / (1 - CROWDED)
    return Math.round(READ_TIMEOUT_MS - Math.min(1, over) * (READ_TIMEOUT_MS - SHORTEST_READ_TIMEOUT_MS))
  }

  /**
   * Takes a place; undefined when there is none for this caller. `giveWay` is called when a newcomer needs the place: it
   * is taken from then on, and has to be left all the same.
   */
  enter(caller: Caller, giveWay: () => void): Place | undefined {
    const path = pathOf(caller)
    // The narrowest first: what gives way in it makes room in those around it.
    for (const [depth, most] of isLimited(caller.scope) ? this.#publicLimits : this.#otherLimits) {
      const full = this.#root.find(path, depth)
      if (full !== undefined && full.taken >= most) {
        const victim = victimIn(full, path, depth)
        if (victim === undefined) {
          return undefined
        }
        victim.giveWay()
      }
    }
    return new Place(this.#root.make(path), giveWay)
  }
}

/** The place of one exchange. It is silent until {@link begin}, and again after {@link end}. */
export class Place {
  readonly #peer: Group
  readonly #giveWay: () => void
  #busy = 0
  #left = false

  constructor(peer: Group, giveWay: () => void) {
    this.#peer = peer
    this.#giveWay = giveWay
    peer.count(1)
    peer.setSilent(this, true)
  }

  /** Something is done for the caller now, so that it is not its fault when nothing comes. */
  begin(): void {
    this.#busy++
    if (this.#busy === 1 && !this.#left) {
      this.#peer.setSilent(this, false)
    }
  }

  /** Ends what {@link begin} began. */
  end(): void {
    this.#busy--
    if (this.#busy === 0 && !this.#left) {
      this.#peer.setSilent(this, true)
    }
  }

  /** A newcomer needs it. */
  giveWay(): void {
    this.leave()
    this.#giveWay()
  }

  /** Gives the place back. Idempotent. */
  leave(): void {
    if (!this.#left) {
      this.#left = true
      if (this.#busy === 0) {
        this.#peer.setSilent(this, false)
      }
      this.#peer.count(-1)
    }
  }
}

/** The places of a network group, a subnet, an IP or a PeerId, with the groups inside it. */
class Group {
  taken = 0
  silent = 0
  readonly groups = new Map<string, Group>()
  /** Of a PeerId: its silent places, the longest silent first. */
  readonly silentPlaces = new Set<Place>()
  readonly #around: Group | undefined
  readonly #key: string

  constructor(around: Group | undefined, key: string) {
    this.#around = around
    this.#key = key
  }

  /** The group of the first `depth` keys; undefined when it has no place. */
  find(path: Path, depth: number): Group | undefined {
    let group: Group | undefined = this
    for (let i = 0; i < depth && group !== undefined; i++) {
      group = group.groups.get(path[i]!)
    }
    return group
  }

  /** The group of all keys. */
  make(path: Path): Group {
    let group: Group = this
    for (const key of path) {
      let inner = group.groups.get(key)
      if (inner === undefined) {
        inner = new Group(group, key)
        group.groups.set(key, inner)
      }
      group = inner
    }
    return group
  }

  /** Counts a place of a PeerId in all groups around it. */
  count(by: 1 | -1): void {
    for (let group: Group | undefined = this; group !== undefined; group = group.#around) {
      group.taken += by
      if (group.taken === 0) {
        group.#around?.groups.delete(group.#key)
      }
    }
  }

  /** A place of a PeerId begins or ends to be silent. */
  setSilent(place: Place, isSilent: boolean): void {
    if (isSilent) {
      this.silentPlaces.add(place)
    } else {
      this.silentPlaces.delete(place)
    }
    for (let group: Group | undefined = this; group !== undefined; group = group.#around) {
      group.silent += isSilent ? 1 : -1
    }
  }
}

/** The silent place that a newcomer of this path may take in a full group at this depth; undefined when there is none. */
function victimIn(full: Group, path: Path, depth: number): Place | undefined {
  let group = full
  let isOwn = true
  for (let i = depth; i < path.length; i++) {
    const crowded = mostCrowded(group)
    if (crowded === undefined) {
      return undefined
    }
    if (isOwn) {
      const own = group.groups.get(path[i]!)
      isOwn = own === crowded
      if (!isOwn && (own?.taken ?? 0) + 2 > crowded.taken) {
        return undefined
      }
    }
    group = crowded
  }
  return isOwn ? undefined : group.silentPlaces.values().next().value
}

/** Of the groups that have a silent place, the one with the most places. */
function mostCrowded({ groups }: Group): Group | undefined {
  let most: Group | undefined
  for (const group of groups.values()) {
    if (group.silent > 0 && group.taken > (most?.taken ?? 0)) {
      most = group
    }
  }
  return most
}

function pathOf({ peerId, ip, scope }: Caller): Path {
  if (!isLimited(scope)) {
    return [scope, scope, ip.text, peerId]
  }
  // Of IPv6 a /56 counts as one IP.
  const [group, subnet, own] = subnetsOf(ip)
  return [group!, subnet!, own!, peerId]
}
