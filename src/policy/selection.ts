import { parseAddress } from '../peer/address.ts'
import { prefixOf, type Scope } from '../peer/ip.ts'
import type { Random } from '../random.ts'
import type { Group, GroupSet } from '../registry/group-set.ts'
import type { ListedRegistration, Pool } from '../registry/network-table.ts'
import type { RegisteredPeer, Registration } from '../registry/registration.ts'

/** What selection looks at: nothing of it can be changed through here. */
export interface ListedView {
  pool(network: string, scope: Scope): Pool | undefined
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
/** Below this many peers the caps are lifted: a young network must still find itself. */
export const FEW = 32
/** How much of an answer comes from peers that have answered for long, where there are such. CometBFT's seeds: 70 %. */
export const RIPE_SHARE = 0.7

/**
 * Picks peers for an answer, without repetition. Network groups take turns in random order, one random member each, so
 * a crowd in one network has no louder voice than a single node in another: an attacker's share of the answers is its
 * share of the network groups. Nothing that a peer says of itself counts.
 */
export function selectPeers(view: ListedView, query: SelectionQuery, random: Random): RegisteredPeer[] {
  const picked = new Picked(query)
  const own = query.scope === 'public' || query.scope === 'special' ? undefined : view.pool(query.network, query.scope)
  const publics = view.pool(query.network, 'public')

  const ownShare = share(sizeOf(own), sizeOf(own) + sizeOf(publics))
  drawPool(own, Math.round(query.limit * ownShare), picked, random)
  drawPool(publics, query.limit, picked, random)
  drawPool(own, query.limit, picked, random)
  if (picked.peers.length < Math.min(FEW, query.limit)) {
    picked.relaxed = true
    drawPool(publics, FEW, picked, random)
  }
  return picked.peers
}

/** Draws until `picked` holds `upTo` peers or the pool is exhausted. */
function drawPool(pool: Pool | undefined, upTo: number, picked: Picked, random: Random): void {
  if (pool === undefined) {
    return
  }
  const started = picked.peers.length
  const wanted = Math.min(upTo, picked.limit) - started
  draw(pool.ripe, started + stochasticRound(wanted * RIPE_SHARE, random), picked, random)
  // The rest is open to all, young and old alike by their number of groups: youth alone buys no place.
  const open = started + wanted - picked.peers.length
  const young = share(pool.fresh.groups.length, pool.fresh.groups.length + pool.ripe.groups.length)
  draw(pool.fresh, picked.peers.length + stochasticRound(open * young, random), picked, random)
  draw(pool.ripe, started + wanted, picked, random)
  draw(pool.fresh, started + wanted, picked, random)
}

/** Groups take turns until `picked` holds `upTo` peers or no group has another to give. */
function draw(set: GroupSet<ListedRegistration>, upTo: number, picked: Picked, random: Random): void {
  let turns: Iterable<Turns> = turnsOf(shuffled(set.groups, random), random)
  while (picked.peers.length < upTo) {
    const next: Turns[] = []
    for (const group of turns) {
      if (picked.peers.length >= upTo) {
        return
      }
      if (takeTurn(group, picked)) {
        next.push(group)
      }
    }
    if (next.length === 0) {
      return
    }
    turns = next
  }
}

/** The turns of one group in one draw. */
interface Turns {
  readonly members: Iterator<ListedRegistration, undefined>
  misses: number
}

function* turnsOf(groups: Iterable<Group<ListedRegistration>>, random: Random): Generator<Turns> {
  for (const group of groups) {
    yield { members: shuffled(group.members, random), misses: 0 }
  }
}

/** Takes the next member of a group that may be taken. False when the group has no more to give. */
function takeTurn(group: Turns, picked: Picked): boolean {
  while (group.misses < MAX_MISSES) {
    const { value } = group.members.next()
    if (value === undefined) {
      return false
    }
    if (picked.take(value)) {
      return true
    }
    group.misses++
  }
  return false
}

/** A crowd whose members are all capped, or all out of date, must not make an answer slow. */
const MAX_MISSES = 1024

/** What an answer holds so far, with the counts its caps need. */
class Picked {
  readonly peers: RegisteredPeer[] = []
  readonly limit: number
  relaxed = false
  readonly #query: SelectionQuery
  readonly #ids: Set<string>
  readonly #counts = new Map<string, number>()

  constructor(query: SelectionQuery) {
    this.limit = query.limit
    this.#query = query
    this.#ids = new Set([query.except])
  }

  take(registration: Registration): boolean {
    const { peer } = registration
    if (this.peers.length >= this.limit || this.#ids.has(peer.id) || !this.#query.current(registration)) {
      return false
    }
    if (registration.scope === 'public') {
      const caps = capsOf(registration.address)
      if (!this.relaxed && caps.some(([key, cap]) => (this.#counts.get(key) ?? 0) >= cap)) {
        return false
      }
      for (const [key] of caps) {
        this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
      }
    }
    this.#ids.add(peer.id)
    this.peers.push(peer)
    return true
  }
}

function capsOf(address: string): ReadonlyArray<readonly [key: string, cap: number]> {
  const parsed = parseAddress(address)
  if (typeof parsed === 'string' || parsed.address === undefined) {
    return []
  }
  const { ip } = parsed.address
  return ip.family === 4
    ? [
        [ip.text, MAX_PER_IP],
        [prefixOf(ip, 24), MAX_PER_SUBNET],
        [prefixOf(ip, 16), MAX_PER_GROUP],
      ]
    : [
        [prefixOf(ip, 64), MAX_PER_IP],
        [prefixOf(ip, 48), MAX_PER_SUBNET],
        [prefixOf(ip, 32), MAX_PER_GROUP],
      ]
}

/** A random order of the items, drawn one by one: the first few of a million cost no more than the first few of ten. */
function* shuffled<Item>(items: readonly Item[], random: Random): Generator<Item, undefined> {
  const moved = new Map<number, number>()
  for (let left = items.length; left > 0; left--) {
    const at = Math.floor(random() * left)
    yield items[moved.get(at) ?? at]!
    moved.set(at, moved.get(left - 1) ?? left - 1)
  }
}

function sizeOf(pool: Pool | undefined): number {
  return pool === undefined ? 0 : pool.ripe.size + pool.fresh.size
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

function stochasticRound(value: number, random: Random): number {
  return Math.floor(value) + (random() < value % 1 ? 1 : 0)
}
