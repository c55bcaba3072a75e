import type { Random } from '../base/random.ts'
import { ipOf } from '../peer/address.ts'
import { ip4NumberAt, prefixOf, type Scope } from '../peer/ip.ts'
import type { ListedRegistration } from '../registry/network-table.ts'
import type { Group, Pool } from '../registry/pool.ts'
import type { RegisteredPeer, Registration } from '../registry/registration.ts'

/** The part of the table that selection reads, and can't change. */
export interface ListedView {
  pool(network: string, scope: Scope): Pool<ListedRegistration> | undefined
  peer(network: string, peerId: string): RegisteredPeer | undefined
}

export interface SelectionQuery {
  readonly network: string
  /** The most peers to pick. */
  readonly limit: number
  /** Where the caller comes from: it gets public peers and those of its own range, never another range's. */
  readonly scope: Scope
  /** The peer not to pick: the caller itself. */
  readonly except: string
  /** Whether a listed registration may be in an answer now (not expired, proved not long ago). */
  readonly current: (registration: Registration) => boolean
}

/**
 * How many peers of one answer may come from one subnet of the public internet. The operator of a subnet has all its
 * addresses; go-ethereum takes 2 a /24, and with 8 a /16 an answer of 250 has 30 operators at least.
 */
export const MAX_PER_IP = 1
export const MAX_PER_SUBNET = 2
export const MAX_PER_GROUP = 8
/**
 * After one turn each, network groups get another only while at least this part of them can use it: otherwise a few
 * crowds would fill up the answer. Rounds in which most groups take part keep the shares even, and limit an attacker
 * with one address each in many networks.
 */
export const WIDE_ROUND = 0.6
/** Below this many peers the caps are lifted: a young network must still find itself. */
export const FEW = 32
/** The part of an answer that comes from established peers, where there are any. CometBFT's seeds: 70 %. */
export const ESTABLISHED_SHARE = 0.7
/**
 * This many established groups provide the whole of {@link ESTABLISHED_SHARE}; fewer provide less, so that having
 * waited a day does not by itself buy influence. At 315, an established group is sure of 1/450 of an answer. The 28
 * addresses that once poisoned a public list (arXiv 2601.16560) are then 6.2 % of it when they are the only
 * established ones among 500: 1 % more than their part of the groups.
 */
export const ENOUGH_ESTABLISHED_GROUPS = 315

/**
 * Picks peers for an answer, without repetition. Network groups take turns in random order, one random member each, so
 * that a crowd in one network counts no more than a single node in another: an attacker's share of the answers is its
 * share of the network groups. What a peer says of itself does not count. Each peer comes with the registration that
 * was drawn.
 */
export function selectRegistrations(view: ListedView, query: SelectionQuery, random: Random): Registration[] {
  const picked = new Picked(query, view.peer(query.network, query.except))
  const own = query.scope === 'public' || query.scope === 'special' ? undefined : view.pool(query.network, query.scope)
  const publics = view.pool(query.network, 'public')
  const [ownSize, publicSize] = [own?.size ?? 0, publics?.size ?? 0]

  draw(own, Math.round((query.limit * ownSize) / Math.max(1, ownSize + publicSize)), picked, random)
  draw(publics, query.limit, picked, random)
  draw(own, query.limit, picked, random)
  if (picked.registrations.length < Math.min(FEW, query.limit)) {
    picked.relaxed = true
    draw(publics, FEW, picked, random)
  }
  return picked.registrations
}

/** Draws until `picked` holds `upTo` peers, or no group has another turn. */
function draw(pool: Pool<ListedRegistration> | undefined, upTo: number, picked: Picked, random: Random): void {
  const places = Math.min(upTo, picked.limit) - picked.registrations.length
  if (pool === undefined || places <= 0) {
    return
  }
  const { established, recent } = pool.groups
  const end = picked.registrations.length + places
  const establishedEnd =
    picked.registrations.length + stochasticRound(places * establishedShare(established.length, recent.length), random)
  const establishedTurns = turnsOf(established, random)
  let turns: RoundRobin[] = []
  takeTurns(establishedTurns, establishedEnd, picked, turns)
  takeTurns(turnsOf(recent, random), end, picked, turns)
  takeTurns(establishedTurns, end, picked, turns)

  const enough = end - places + FEW
  const wide = WIDE_ROUND * (established.length + recent.length)
  while (
    turns.length > 0 &&
    picked.registrations.length < end &&
    (turns.length >= wide || picked.registrations.length < enough)
  ) {
    const round = inOrder(turns)
    turns = []
    takeTurns(round, end, picked, turns)
  }
}

/** The part of an answer that comes from groups with established members: their share of the groups, or more. */
function establishedShare(established: number, recent: number): number {
  return Math.max(
    established / (established + recent),
    ESTABLISHED_SHARE * Math.min(1, established / ENOUGH_ESTABLISHED_GROUPS),
  )
}

/** Gives each group a turn until `picked` holds `upTo` peers. Groups that may have another are added to `again`. */
function takeTurns(groups: Queue<RoundRobin>, upTo: number, picked: Picked, again: RoundRobin[]): void {
  while (picked.registrations.length < upTo) {
    const turns = groups.next()
    if (turns === undefined) {
      return
    }
    if (turns.take(picked) && turns.left > 0) {
      again.push(turns)
    }
  }
}

interface Queue<Item> {
  next(): Item | undefined
}

function turnsOf(groups: ReadonlyArray<Group<ListedRegistration>>, random: Random): Queue<RoundRobin> {
  const order = new Shuffled(groups, random)
  return {
    next() {
      const group = order.next()
      return group === undefined ? undefined : new RoundRobin(group, random)
    },
  }
}

function inOrder(turns: readonly RoundRobin[]): Queue<RoundRobin> {
  let at = 0
  return { next: () => turns[at++] }
}

/** The turns of one group in one draw. */
class RoundRobin {
  /** How many members it has not offered yet. */
  left: number
  readonly #established: Shuffled<ListedRegistration>
  readonly #recent: Shuffled<ListedRegistration>
  readonly #random: Random
  #taken = 0
  #misses = 0

  constructor(group: Group<ListedRegistration>, random: Random) {
    this.left = group.established.length + group.recent.length
    this.#established = new Shuffled(group.established, random)
    this.#recent = new Shuffled(group.recent, random)
    this.#random = random
  }

  /** Takes the next member that may be taken. Returns false when the group has none left. */
  take(picked: Picked): boolean {
    while (this.#misses < MAX_MISSES) {
      const isEstablished = this.#random() < ESTABLISHED_SHARE
      const member = isEstablished
        ? (this.#established.next() ?? this.#recent.next())
        : (this.#recent.next() ?? this.#established.next())
      if (member === undefined || (this.#taken >= MAX_PER_GROUP && isCapped(member, picked))) {
        return false
      }
      this.left--
      if (picked.take(member)) {
        this.#taken++
        return true
      }
      this.#misses++
    }
    return false
  }
}

/** A private range has no subnets, and a small network has only few peers. A group takes part in one draw with caps. */
function isCapped({ scope }: ListedRegistration, { relaxed }: Picked): boolean {
  return scope === 'public' && !relaxed
}

/** How many capped or outdated members a group may offer: a crowd of them must not make an answer slow. */
const MAX_MISSES = 1024

/** The peers picked so far, with the counts for the caps. */
class Picked {
  readonly registrations: Registration[] = []
  readonly limit: number
  relaxed = false
  readonly #query: SelectionQuery
  readonly #except: RegisteredPeer | undefined
  /** Peers, and the registrations of those that have one: reading a million peers is waiting for memory. */
  readonly #taken = new Set<RegisteredPeer | Registration>()
  readonly #ips = new Map<number | string, number>()
  readonly #subnets = new Map<number | string, number>()

  constructor(query: SelectionQuery, except: RegisteredPeer | undefined) {
    this.limit = query.limit
    this.#query = query
    this.#except = except
  }

  take(registration: ListedRegistration): boolean {
    const { peer, alone } = registration
    const taken = alone ? registration : peer
    if (!this.#query.current(registration) || peer === this.#except || this.#taken.has(taken)) {
      return false
    }
    if (registration.scope === 'public' && !this.#hasRoomFor(registration)) {
      return false
    }
    this.#taken.add(taken)
    this.registrations.push(registration)
    return true
  }

  /** Counts it if it exists. One address means one machine: of IPv6 a /64. */
  #hasRoomFor({ address }: ListedRegistration): boolean {
    let ip: number | string
    let subnet: number | string
    if (address.startsWith(IP4)) {
      ip = ip4NumberAt(address, IP4.length)
      subnet = ip >>> 8
    } else {
      const text = ipOf(address)
      ip = prefixOf(text, 64)
      subnet = prefixOf(text, 48)
    }
    const atIp = this.#ips.get(ip) ?? 0
    const inSubnet = this.#subnets.get(subnet) ?? 0
    if (!this.relaxed && (atIp >= MAX_PER_IP || inSubnet >= MAX_PER_SUBNET)) {
      return false
    }
    this.#ips.set(ip, atIp + 1)
    this.#subnets.set(subnet, inSubnet + 1)
    return true
  }
}

const IP4 = '/ip4/'

/** Draws items in random order, one by one: the first few of a million cost no more than the first few of ten. */
class Shuffled<Item> {
  readonly #items: readonly Item[]
  readonly #random: Random
  #left: number
  /** The items at places that were drawn already. */
  #moved: Map<number, number> | undefined

  constructor(items: readonly Item[], random: Random) {
    this.#items = items
    this.#random = random
    this.#left = items.length
  }

  next(): Item | undefined {
    if (this.#left === 0) {
      return undefined
    }
    const at = Math.floor(this.#random() * this.#left)
    const item = this.#items[this.#moved?.get(at) ?? at]
    this.#left--
    if (at !== this.#left) {
      this.#moved ??= new Map()
      this.#moved.set(at, this.#moved.get(this.#left) ?? this.#left)
    }
    return item
  }
}

function stochasticRound(value: number, random: Random): number {
  return Math.floor(value) + (random() < value % 1 ? 1 : 0)
}
