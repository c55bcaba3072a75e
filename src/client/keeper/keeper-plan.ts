// Which peers the keeper dials next, so that no one bootstrap supplies half of the connections.

import type { Random } from '../../base/random.ts'
import { shuffled } from '../../base/shuffled.ts'
import { filledPlaces, mostOfOneOrigin } from '../filled-places.ts'
import { CACHE_SOURCE, INBOUND_SOURCE } from '../source-tags.ts'

/** What the plan looks at of a peer that could be connected to. */
export interface Prospect {
  readonly id: string
  /** Network groups of its addresses; none in loopback and private ranges. */
  readonly groups: ReadonlySet<string>
  /** Who named it: origins of bootstraps, the cache, and {@link INBOUND_SOURCE}. */
  readonly sources: ReadonlySet<string>
  /** A long-lived peer of an earlier run. */
  readonly anchor: boolean
  /** Failures in a row. */
  readonly failures: number
  /** Not to be dialled earlier, ms. */
  readonly notBefore: number
}

export interface PlanInit {
  /** How many peers to be connected to. */
  readonly target: number
  /** Those connected, or being dialled. */
  readonly engaged: readonly Prospect[]
  /** All others. */
  readonly available: readonly Prospect[]
  readonly now: number
  /** Whether every bootstrap has had the time to answer. */
  readonly settled: boolean
  readonly random: Random
}

/** Bootstraps that are there have answered after so many ms. */
export const SETTLED_MS = 5000

/** One network group holds this part of the connections at most, as long as there are others. */
const GROUP_SHARE = 1 / 4

/**
 * Whom to dial now. Anchors first, then those that several bootstraps named, then turn by turn one of each bootstrap:
 * no bootstrap brings in half of the connections by its word alone, be its list ever so long, unless it is the only
 * one there is. Until all have had the time to answer the only one is not trusted with it either. Peers of one that
 * connected to this node fill no more places than that, so that others are dialled beside them.
 */
export function planDials(init: PlanInit): Prospect[] {
  const { available, now, settled, random } = init
  const plan = new Plan(init)
  const due = shuffled(available, random).filter(({ notBefore }) => notBefore <= now)
  const trusted = due.filter((each) => soleOrigin(each) === undefined).sort(byTrust)
  const sole = Map.groupBy(
    due.filter((each) => soleOrigin(each) !== undefined).sort(byTrust),
    (each) => soleOrigin(each)!,
  )
  for (const strict of settled ? [true, false] : [true]) {
    plan.strict = strict
    for (const each of trusted) {
      plan.take(each)
    }
    for (let taken = true; taken; ) {
      const origins = [...sole.keys()].sort(
        (a, b) => Number(a === INBOUND_SOURCE) - Number(b === INBOUND_SOURCE) || plan.soleCount(a) - plan.soleCount(b),
      )
      taken = origins.some((origin) => sole.get(origin)!.some((each) => plan.takeSole(each, origin)))
    }
  }
  plan.trim()
  return plan.chosen
}

/**
 * The origin whose word alone stands for a peer. The cache is no second source: it holds what the same origin named, as
 * soon as it was connected to. Those that only ever connected to this node have one origin, {@link INBOUND_SOURCE}:
 * strangers can be any number of them.
 */
export function soleOrigin({ sources, anchor }: Prospect): string | undefined {
  const [only, ...others] = [...sources].filter((source) => source !== CACHE_SOURCE && source !== INBOUND_SOURCE)
  if (anchor || others.length > 0) {
    return undefined
  }
  return only ?? (sources.has(INBOUND_SOURCE) && !sources.has(CACHE_SOURCE) ? INBOUND_SOURCE : undefined)
}

class Plan {
  readonly chosen: Prospect[] = []
  strict = true
  readonly #init: PlanInit
  readonly #origins: ReadonlySet<string>
  readonly #taken: Set<Prospect>

  constructor(init: PlanInit) {
    this.#init = init
    this.#taken = new Set(init.engaged)
    const named = [...init.engaged, ...init.available].flatMap(({ sources }) => [...sources])
    this.#origins = new Set(named.filter((source) => source !== CACHE_SOURCE && source !== INBOUND_SOURCE))
  }

  soleCount(origin: string): number {
    return this.#taken.values().reduce((count, each) => count + (soleOrigin(each) === origin ? 1 : 0), 0)
  }

  take(prospect: Prospect): boolean {
    if (this.#isFull || this.#taken.has(prospect) || !this.#fitsGroups(prospect)) {
      return false
    }
    this.#taken.add(prospect)
    this.chosen.push(prospect)
    return true
  }

  takeSole(prospect: Prospect, origin: string): boolean {
    return this.#fitsOrigin(origin) && this.take(prospect)
  }

  /** Turn by turn an origin may be one ahead of all others; in the end it may not. */
  trim(): void {
    for (const origin of this.#origins) {
      const last = this.chosen.findLast((each) => soleOrigin(each) === origin)
      const count = this.soleCount(origin)
      if (last !== undefined && this.#origins.size > 1 && count > 1 && count * 2 >= this.#taken.size) {
        this.#taken.delete(last)
        this.chosen.splice(this.chosen.indexOf(last), 1)
      }
    }
  }

  get #isFull(): boolean {
    const { target } = this.#init
    const soleOrigins = this.#taken.values().map((each) => soleOrigin(each))
    return filledPlaces(soleOrigins, target, this.#origins.size > 1) >= target
  }

  #fitsOrigin(origin: string): boolean {
    const count = this.soleCount(origin) + 1
    const most = mostOfOneOrigin(this.#init.target)
    if (this.#origins.size <= 1) {
      return this.#init.settled || count <= most
    }
    if (count > most) {
      return false
    }
    return count === 1 || count <= this.#taken.size - (count - 1) + 1
  }

  #fitsGroups({ groups }: Prospect): boolean {
    const most = Math.max(1, Math.ceil(this.#init.target * GROUP_SHARE))
    return !this.strict || [...groups].every((group) => this.#groupCount(group) < most)
  }

  #groupCount(group: string): number {
    return this.#taken.values().reduce((count, { groups }) => count + (groups.has(group) ? 1 : 0), 0)
  }
}

function byTrust(a: Prospect, b: Prospect): number {
  return Number(b.anchor) - Number(a.anchor) || a.failures - b.failures || b.sources.size - a.sources.size
}
