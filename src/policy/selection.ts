// Which of the listed peers an answer gets.

import type { Random } from '../base/random.ts'
import { Shuffled, stochasticRound } from '../base/shuffled.ts'
import type { Scope } from '../peer/ip.ts'
import type { ListedRegistration } from '../registry/network-table.ts'
import type { Group, Pool } from '../registry/pool.ts'
import type { Registration } from '../registry/registration.ts'
import type { RegistryView } from '../registry/registry-view.ts'
import { CAPS, LIFTED_CAPS, NO_CAPS, Picked, type PickQuery } from './answer-caps.ts'

/** What selection looks at. */
export type SelectionView = Pick<RegistryView, 'pool' | 'peer'>

export interface SelectionQuery extends PickQuery {
  readonly network: string
  /** Where the asker comes from: it is handed the public ones and those of its own range, never another's. */
  readonly scope: Scope
  /** The peer not to pick: the caller itself. */
  readonly except: string
}

/**
 * After one turn each, network groups get another only while this part of them can use it: an answer filled up from a
 * few crowds would be theirs. Rounds that most take part in keep the shares even, and thin out who has put one address
 * each in many networks.
 */
export const WIDE_ROUND = 0.6
/** Below this many peers the caps are lifted in steps: a young network must still find itself. */
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
export function selectRegistrations(view: SelectionView, query: SelectionQuery, random: Random): Registration[] {
  const picked = new Picked(query, view.peer(query.network, query.except))
  const own = query.scope === 'public' || query.scope === 'special' ? undefined : view.pool(query.network, query.scope)
  const publics = view.pool(query.network, 'public')
  const [ownSize, publicSize] = [own?.size ?? 0, publics?.size ?? 0]

  draw(own, Math.round((query.limit * ownSize) / Math.max(1, ownSize + publicSize)), picked, random)
  draw(publics, query.limit, picked, random)
  draw(own, query.limit, picked, random)
  for (const caps of [...LIFTED_CAPS, NO_CAPS]) {
    // A network on one machine crowds out no other peer.
    if (picked.registrations.length >= Math.min(FEW, query.limit) || (caps === NO_CAPS && picked.ipCount > 1)) {
      break
    }
    picked.caps = caps
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
  readonly #group: Group<ListedRegistration>
  #misses = 0

  constructor(group: Group<ListedRegistration>, random: Random) {
    this.#group = group
    this.left = group.established.length + group.recent.length
    this.#established = new Shuffled(group.established, random)
    this.#recent = new Shuffled(group.recent, random)
    this.#random = random
  }

  /** Takes the next member that may be taken. Returns false when the group has none left. */
  take(picked: Picked): boolean {
    const most = picked.caps === CAPS ? MAX_MISSES : MAX_LIFTED_MISSES
    while (this.#misses < most) {
      const isEstablished = this.#random() < ESTABLISHED_SHARE
      const member = isEstablished
        ? (this.#established.next() ?? this.#recent.next())
        : (this.#recent.next() ?? this.#established.next())
      if (member === undefined || (isCapped(member) && picked.isFull(this.#group))) {
        return false
      }
      this.left--
      if (picked.take(member)) {
        return true
      }
      this.#misses++
    }
    return false
  }
}

/** A private range has no subnets. */
function isCapped({ scope }: ListedRegistration): boolean {
  return scope === 'public'
}

/** How many capped or outdated members a group may offer: a crowd of them must not make an answer slow. */
const MAX_MISSES = 1024
/** In each of the draws with lifted caps: all of them together cost as much as the first. */
const MAX_LIFTED_MISSES = MAX_MISSES / (LIFTED_CAPS.length + 1)
