import type { Random } from '../base/random.ts'
import { ipOf } from '../peer/address.ts'
import { ip4NumberAt, prefixOf, type Scope } from '../peer/ip.ts'
import type { ListedRegistration } from '../registry/network-table.ts'
import type { Group, Pool } from '../registry/pool.ts'
import type { RegisteredPeer, Registration } from '../registry/registration.ts'

/** What selection looks at: nothing of it can be changed through here. */
export interface ListedView {
  pool(network: string, scope: Scope): Pool<ListedRegistration> | undefined
  peer(network: string, peerId: string): RegisteredPeer | undefined
}

export interface SelectionQuery {
  readonly network: string
  /** The most peers to pick. */
  readonly limit: number
  /** Where the asker comes from: it is handed the public ones and those of its own range, never another's. */
  readonly scope: Scope
  /** A peer not to pick: the asker itself. */
  readonly except: string
  /** Whether a listed registration may be handed out at this moment (not expired, proved not long ago). */
  readonly current: (registration: Registration) => boolean
}

/**
 * How many of one answer may come from one neighbourhood of the public internet. Whoever owns a network owns all its
 * addresses; go-ethereum takes 2 a /24, and 8 a /16 let an answer of 250 span 30 operators at the least.
 */
export const MAX_PER_IP = 1
export const MAX_PER_SUBNET = 2
export const MAX_PER_GROUP = 8
/**
 * After one turn each, network groups get another only while this part of them can use it: an answer filled up from a
 * few crowds would be theirs. Rounds that most take part in keep the shares even, and thin out who has put one address
 * each in many networks.
 */
export const WIDE_ROUND = 0.6
/** Below this many peers the caps are lifted: a young network must still find itself. */
export const FEW = 32
/** How much of an answer comes from peers that have answered for long, where there are such. CometBFT's seeds: 70 %. */
export const RIPE_SHARE = 0.7
/**
 * So many ripe groups carry the whole of {@link RIPE_SHARE}; fewer carry less, for patience alone must not be a voice.
 * At 315 a group that is ripe is sure of 1/450 of an answer. The 28 addresses that once poisoned a public list (arXiv
 * 2601.16560) are then 6.2 % of it when they are the only ripe ones among 500: 1 % more than they are of the groups.
 */
export const ENOUGH_RIPE_GROUPS = 315

/**
 * Picks peers for an answer, without repetition. Network groups take turns in random order, one random member each, so
 * a crowd in one network has no louder voice than a single node in another: an attacker's share of the answers is its
 * share of the network groups. Nothing that a peer says of itself counts. Each comes by the registration that was drawn.
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

/** Draws until `picked` holds `upTo` peers, or nobody has another turn. */
function draw(pool: Pool<ListedRegistration> | undefined, upTo: number, picked: Picked, random: Random): void {
  const places = Math.min(upTo, picked.limit) - picked.registrations.length
  if (pool === undefined || places <= 0) {
    return
  }
  const { ripe, fresh } = pool.groups
  const end = picked.registrations.length + places
  const ripeEnd = picked.registrations.length + stochasticRound(places * ripeShare(ripe.length, fresh.length), random)
  const ripeTurns = turnsOf(ripe, random)
  let turns: Turns[] = []
  takeTurns(ripeTurns, ripeEnd, picked, turns)
  takeTurns(turnsOf(fresh, random), end, picked, turns)
  takeTurns(ripeTurns, end, picked, turns)

  const enough = end - places + FEW
  const wide = WIDE_ROUND * (ripe.length + fresh.length)
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

/** The part of an answer that comes from groups with ripe members: their share of the groups, or more. */
function ripeShare(ripe: number, fresh: number): number {
  return Math.max(ripe / (ripe + fresh), RIPE_SHARE * Math.min(1, ripe / ENOUGH_RIPE_GROUPS))
}

/** Gives groups a turn each until `picked` holds `upTo` peers. Those that may have another go to `again`. */
function takeTurns(groups: Queue<Turns>, upTo: number, picked: Picked, again: Turns[]): void {
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

function turnsOf(groups: ReadonlyArray<Group<ListedRegistration>>, random: Random): Queue<Turns> {
  const order = new Shuffled(groups, random)
  return {
    next() {
      const group = order.next()
      return group === undefined ? undefined : new Turns(group, random)
    },
  }
}

function inOrder(turns: readonly Turns[]): Queue<Turns> {
  let at = 0
  return { next: () => turns[at++] }
}

/** The turns of one group in one draw. */
class Turns {
  /** How many members it has not offered yet. */
  left: number
  readonly #ripe: Shuffled<ListedRegistration>
  readonly #fresh: Shuffled<ListedRegistration>
  readonly #random: Random
  #taken = 0
  #misses = 0

  constructor(group: Group<ListedRegistration>, random: Random) {
    this.left = group.ripe.length + group.fresh.length
    this.#ripe = new Shuffled(group.ripe, random)
    this.#fresh = new Shuffled(group.fresh, random)
    this.#random = random
  }

  /** Takes the next member that may be taken. False when the group has no more to give. */
  take(picked: Picked): boolean {
    while (this.#misses < MAX_MISSES) {
      const isRipe = this.#random() < RIPE_SHARE
      const member = isRipe ? (this.#ripe.next() ?? this.#fresh.next()) : (this.#fresh.next() ?? this.#ripe.next())
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

/** Private ranges are no neighbourhood, and few peers are all there are. A group takes part in one draw with caps. */
function isCapped({ scope }: ListedRegistration, { relaxed }: Picked): boolean {
  return scope === 'public' && !relaxed
}

/** A crowd whose members are all capped, or all out of date, must not make an answer slow. */
const MAX_MISSES = 1024

/** What an answer holds so far, with the counts its caps need. */
class Picked {
  readonly registrations: Registration[] = []
  readonly limit: number
  relaxed = false
  readonly #query: SelectionQuery
  readonly #except: RegisteredPeer | undefined
  /** Peers, and the registrations of those that have one: to look at a million peers is to wait for the memory. */
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

  /** Counts it when there is. What counts as one address is what one machine has: of IPv6 a /64. */
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

/** A random order of the items, drawn one by one: the first few of a million cost no more than the first few of ten. */
class Shuffled<Item> {
  readonly #items: readonly Item[]
  readonly #random: Random
  #left: number
  /** What stands where something else was drawn from. */
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
