// Which peers the keeper dials next, so that no one bootstrap supplies half of the connections.

import type { Random } from '../../base/random.ts'
import { shuffled } from '../../base/shuffled.ts'
import { filledPlaces, mostOfOneOrigin } from '../filled-places.ts'
import { INBOUND_SOURCE } from '../source-tags.ts'
import { isOrigin, type Prospect, soleOrigin } from './prospect.ts'

export interface PlanInit {
  /** How many peers to be connected to, by connections that this node dialled. */
  readonly target: number
  /** Those that it dialled, or is dialling. */
  readonly engaged: readonly Prospect[]
  /** Those that it is not connected to. */
  readonly available: readonly Prospect[]
  readonly now: number
  /** Whether every bootstrap has had the time to answer. */
  readonly settled: boolean
  readonly random: Random
  /** How often peers at an IP were dialled; 0 in private ranges. */
  readonly dialsAt: (ip: string) => number
  /** Whether an origin counts as one of several: one whose peers all failed does not. */
  readonly isVoice: (origin: string) => boolean
  /** Whether to see if the peers of an origin that is no voice are back. */
  readonly wantsFeeler: (origin: string) => boolean
}

/** Bootstraps that are there have answered by then, ms. */
export const SETTLED_MS = 5000

/** One network group holds this part of the connections at most, and one public IP one, as long as there are others. */
const GROUP_SHARE = 1 / 4

/**
 * Which peers to dial now. Those that several bootstraps named come first, then turn by turn one of each bootstrap: no
 * bootstrap brings in half of the connections by its word alone, however long its list is, unless it is the only one there
 * is. Until all have had the time to answer the only one is not trusted with it either. Of peers that are equal in this,
 * each IP has one chance, however many PeerIds it has.
 *
 * What one bootstrap may not fill stays empty only while another one names peers that were not tried: a node that is
 * connected to all that the others name is as safe with the places filled.
 *
 * Peers of an origin that is no voice get the places that are left, and beyond the target now and then one is dialled.
 */
export function planDials(init: PlanInit): Prospect[] {
  const { available, now, settled } = init
  const plan = new Plan(init)
  const due = plan.wantsNone ? [] : available.filter(({ notBefore }) => notBefore <= now)
  const byOrigin = Map.groupBy(due, soleOrigin)
  const trusted = inOrder(byOrigin.get(undefined) ?? [], init)
  byOrigin.delete(undefined)
  const sole = new Map([...byOrigin].map(([origin, each]) => [origin!, inOrder(each, init)]))
  for (const strict of settled ? [true, false] : [true]) {
    plan.strict = strict
    for (const each of due.filter(({ anchor }) => anchor)) {
      plan.takeAny(each)
    }
    for (const each of trusted) {
      plan.take(each)
    }
    for (let taken = true; taken; ) {
      const origins = [...sole.keys()].sort(
        (a, b) => plan.rank(a) - plan.rank(b) || plan.soleCount(a) - plan.soleCount(b),
      )
      taken = origins.some((origin) => sole.get(origin)!.some((each) => plan.takeSole(each, origin)))
    }
  }
  plan.trim()
  if (settled) {
    for (const [origin, each] of sole) {
      plan.takeRest(each, origin)
    }
  }
  for (const [origin, [first]] of sole) {
    plan.takeFeeler(first!, origin)
  }
  return plan.chosen
}

class Plan {
  readonly chosen: Prospect[] = []
  strict = true
  readonly #init: PlanInit
  /** Those that are a voice, and the others. */
  readonly #origins: ReadonlySet<string>
  readonly #silent: ReadonlySet<string>
  readonly #taken: Set<Prospect>

  constructor(init: PlanInit) {
    this.#init = init
    this.#taken = new Set(init.engaged)
    const sources = new Set<string>()
    for (const each of [...init.engaged, ...init.available]) {
      for (const source of each.sources) {
        sources.add(source)
      }
    }
    const origins = [...sources].filter(isOrigin)
    this.#origins = new Set(origins.filter(init.isVoice))
    this.#silent = new Set(origins.filter((origin) => !this.#origins.has(origin)))
  }

  soleCount(origin: string): number {
    return this.#taken.values().reduce((count, each) => count + (soleOrigin(each) === origin ? 1 : 0), 0)
  }

  get wantsNone(): boolean {
    return this.#isFull && ![...this.#silent].some((origin) => this.#wantsFeeler(origin))
  }

  /** Those that are a voice, and earlier runs that dialled a peer, go first; those that a peer dialled go last. */
  rank(origin: string): number {
    return origin === INBOUND_SOURCE ? 2 : this.#silent.has(origin) ? 1 : 0
  }

  takeAny(prospect: Prospect): boolean {
    const origin = soleOrigin(prospect)
    return origin === undefined ? this.take(prospect) : this.takeSole(prospect, origin)
  }

  take(prospect: Prospect): boolean {
    if (this.#isFull || this.#taken.has(prospect) || !this.#fitsPlaces(prospect)) {
      return false
    }
    this.#taken.add(prospect)
    this.chosen.push(prospect)
    return true
  }

  takeSole(prospect: Prospect, origin: string): boolean {
    return this.#fitsOrigin(origin) && this.take(prospect)
  }

  /** The places that are left, unless another voice names peers that have not failed: those come first. */
  takeRest(prospects: readonly Prospect[], origin: string): void {
    const others = [...this.#origins].filter((each) => each !== origin)
    const isUntried = ({ failures, sources }: Prospect) => failures === 0 && others.some((each) => sources.has(each))
    if (this.#taken.size < this.#init.target && !this.#init.available.some(isUntried)) {
      for (const each of prospects.filter((prospect) => !this.#taken.has(prospect))) {
        if (this.#taken.size < this.#init.target) {
          this.#taken.add(each)
          this.chosen.push(each)
        }
      }
    }
  }

  /** One peer of an origin that is no voice, when none of its peers is connected or being dialled. */
  takeFeeler(prospect: Prospect, origin: string): void {
    if (this.#silent.has(origin) && this.#wantsFeeler(origin)) {
      this.#taken.add(prospect)
      this.chosen.push(prospect)
    }
  }

  #wantsFeeler(origin: string): boolean {
    return this.soleCount(origin) === 0 && this.#init.wantsFeeler(origin)
  }

  /** Turn by turn an origin may be one ahead of all others together; in the end it may not. */
  trim(): void {
    for (const origin of this.#origins) {
      const last = this.chosen.findLast((each) => soleOrigin(each) === origin)
      const count = this.soleCount(origin)
      if (last !== undefined && this.#origins.size > 1 && count > 1 && count * 2 > this.#taken.size) {
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

  /** As long as there are others: one peer of a public IP, and a share of a network group. */
  #fitsPlaces({ groups, ips }: Prospect): boolean {
    const most = Math.max(1, Math.ceil(this.#init.target * GROUP_SHARE))
    return (
      !this.strict ||
      groups.size === 0 ||
      ([...groups].every((group) => this.#groupCount(group) < most) && [...ips].every((ip) => this.#ipCount(ip) === 0))
    )
  }

  #ipCount(ip: string): number {
    return this.#taken.values().reduce((count, { ips }) => count + (ips.has(ip) ? 1 : 0), 0)
  }

  #groupCount(group: string): number {
    return this.#taken.values().reduce((count, { groups }) => count + (groups.has(group) ? 1 : 0), 0)
  }
}

/**
 * The prospects, those to dial first first: anchors, those at IPs that were dialled less often by half or more, those that
 * failed less, those that more named; then those that are the only one at their IP so far.
 */
function inOrder(prospects: readonly Prospect[], { dialsAt, random }: PlanInit): Prospect[] {
  const counts = new Map<string, number>()
  const ranks = new Map<Prospect, number>()
  const dials = new Map<Prospect, number>()
  for (const prospect of shuffled(prospects, random)) {
    const before = [...prospect.ips].map((ip) => counts.get(ip) ?? 0)
    ranks.set(prospect, Math.max(0, ...before))
    dials.set(prospect, Math.floor(Math.log2(1 + Math.max(0, ...[...prospect.ips].map(dialsAt)))))
    for (const ip of prospect.ips) {
      counts.set(ip, (counts.get(ip) ?? 0) + 1)
    }
  }
  // Shuffled anew: in the order above, the first of a crowded IP is early.
  return shuffled(prospects, random).sort(
    (a, b) =>
      Number(b.anchor) - Number(a.anchor) ||
      dials.get(a)! - dials.get(b)! ||
      a.failures - b.failures ||
      b.sources.size - a.sources.size ||
      ranks.get(a)! - ranks.get(b)!,
  )
}
