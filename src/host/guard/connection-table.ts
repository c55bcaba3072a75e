// The open inbound connections, and which one is evicted when there is no room for a newcomer.

import { FairShares } from '../../base/fair-shares.ts'
import type { HangUp, Refusal } from './guard-counters.ts'
import type { GuardedSlot } from './guarded-slot.ts'
import { CROWDED, IDLE_SO_FAR, idleLimits, quietFor, SILENT_SO_FAR } from './quiet-connections.ts'

/** How many connections there may be, of each kind. */
export interface ConnectionLimits {
  /** Connections whose handshake is done. */
  readonly open: number
  /** Sockets whose handshake is not done yet. */
  readonly halfOpen: number
  /** Of one public IPv4 address or IPv6 /64, half-open ones counted. go-libp2p's conn_limiter has 8. */
  readonly perIp: number
  /** Of one public IPv6 /56: one customer, or, where a provider is thrifty, some. */
  readonly perSite: number
  /** Of one public IPv4 /24 or IPv6 /48. */
  readonly perSubnet: number
}

/** A connection that is evicted for another one. */
export interface Evicted<S extends GuardedSlot> {
  readonly instead: S
  readonly because: HangUp
}

/** Refused, admitted, or admitted after evicting another connection. */
export type Place<S extends GuardedSlot> = { readonly refusal: Refusal } | Evicted<S> | Record<string, never>

/**
 * A connection that sends nothing for this long in the middle of its handshake, or of a frame, is hung up on, ms.
 * Either takes a round trip or two.
 */
export const SILENT_MS = 3000

/**
 * The connections that are open, and which of them goes when there is no room. The idle first, and of those the ones of
 * the most crowded network. Where none is idle, the newest connection of the most crowded network gives way to a
 * newcomer whose own network has at least two fewer: /16 or /32 first, then the networks inside. So a newcomer from
 * elsewhere gets in however many connections one network has, and however busy it keeps them. libp2p itself refuses
 * all newcomers when its table is full, and keeps idle connections.
 */
export class ConnectionTable<S extends GuardedSlot> {
  readonly #limits: ConnectionLimits
  readonly #halfOpen = new Set<S>()
  readonly #open = new Set<S>()
  readonly #shares = { all: new FairShares<S>(), halfOpen: new FairShares<S>(), open: new FairShares<S>() }

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  get halfOpen(): number {
    return this.#halfOpen.size
  }

  get open(): number {
    return this.#open.size
  }

  /** All connections. */
  *slots(): Generator<S> {
    yield* this.#halfOpen
    yield* this.#open
  }

  /**
   * A socket was accepted. It takes a slot unless it is refused. The caller hangs up on the connection that it evicts,
   * if any.
   */
  arrive(slot: S, now: number): Place<S> {
    let place: Place<S> = {}
    const depth = this.#fullDepth(slot)
    if (depth !== undefined) {
      place = this.#makeRoomNear(slot, depth, now)
    } else if (this.#halfOpen.size >= this.#limits.halfOpen) {
      place = this.#makeRoom(this.#halfOpen, this.#shares.halfOpen, slot, now) ?? { refusal: 'half_open_full' }
    }
    if (!('refusal' in place)) {
      this.#halfOpen.add(slot)
      this.#shares.halfOpen.add(slot.networks, slot)
      this.#shares.all.add(slot.networks, slot)
    }
    return place
  }

  /** The handshake is done. Only now the limit of connections counts, so that silent sockets evict no connection. */
  settle(slot: S, now: number): Place<S> {
    let place: Place<S> = {}
    if (this.#open.size >= this.#limits.open) {
      place = this.#makeRoom(this.#open, this.#shares.open, slot, now) ?? { refusal: 'table_full' }
    }
    if (!('refusal' in place)) {
      this.#halfOpen.delete(slot)
      this.#shares.halfOpen.remove(slot.networks, slot)
      this.#open.add(slot)
      this.#shares.open.add(slot.networks, slot)
    }
    return place
  }

  /** The connection has ended or is about to. Idempotent. */
  leave(slot: S): void {
    if (this.#halfOpen.delete(slot)) {
      this.#shares.halfOpen.remove(slot.networks, slot)
      this.#shares.all.remove(slot.networks, slot)
    } else if (this.#open.delete(slot)) {
      this.#shares.open.remove(slot.networks, slot)
      this.#shares.all.remove(slot.networks, slot)
    }
  }

  /** The connections that have to be hung up on by now. One whose bytes wait here is not silent: the node is slow. */
  overdue(now: number): Array<readonly [S, HangUp]> {
    const overdue: Array<readonly [S, HangUp]> = []
    for (const slot of this.slots()) {
      const isLate = slot.waiting === 0 && now - slot.heardAt >= SILENT_MS
      if (isLate && (!this.#open.has(slot) || slot.unfinished())) {
        overdue.push([slot, 'silent'])
      }
    }
    return [...overdue, ...this.#idle(now)]
  }

  #idle(now: number): Array<readonly [S, HangUp]> {
    const { open } = this.#limits
    const { limit, early } = idleLimits(this.#open.size / open)
    const tooMany = this.#open.size - Math.floor(open * CROWDED)
    const idle = [...this.#open].filter((slot) => quietFor(slot, now) >= early && slot.streams() === 0)
    const long = idle.filter((slot) => quietFor(slot, now) >= limit)
    const short = tooMany > long.length ? idle.filter((slot) => quietFor(slot, now) < limit) : []
    const crowd = (slot: S) => this.#shares.open.count(slot.networks, 1)
    short.sort((a, b) => crowd(b) - crowd(a) || quietFor(b, now) - quietFor(a, now))
    return [
      ...long.map((slot) => [slot, 'idle'] as const),
      ...short.slice(0, Math.max(0, tooMany - long.length)).map((slot) => [slot, 'idle_crowded'] as const),
    ]
  }

  /** How many of its networks, widest first, the narrowest one is that has no room left for one more. */
  #fullDepth({ networks, limited }: S): number | undefined {
    if (!limited) {
      return undefined
    }
    const { perIp, perSite, perSubnet } = this.#limits
    const limits = networks.length === 4 ? [perIp, perSite, perSubnet] : [perIp, perSubnet]
    const at = limits.findIndex((limit, i) => this.#shares.all.count(networks, networks.length - i) >= limit)
    return at < 0 ? undefined : networks.length - at
  }

  #makeRoomNear(newcomer: S, depth: number, now: number): Place<S> {
    const { all } = this.#shares
    const network = newcomer.networks[depth - 1]
    const neighbours = [...this.slots()].filter(({ networks }) => networks[depth - 1] === network)
    const silent = neighbours.filter((slot) => this.#halfOpen.has(slot))
    const open = neighbours.filter((slot) => this.#open.has(slot))
    return (
      this.#evict(this.#quietVictim(silent, SILENT_SO_FAR, all, newcomer, now), 'half_open_crowded') ??
      this.#evict(this.#quietVictim(open, IDLE_SO_FAR, all, newcomer, now), 'idle_crowded') ??
      this.#evict(all.whoGivesWay(newcomer.networks, depth), 'crowded') ?? { refusal: 'group_full' }
    )
  }

  #makeRoom(among: ReadonlySet<S>, shares: FairShares<S>, newcomer: S, now: number): Evicted<S> | undefined {
    const [rules, because] =
      among === this.#open ? ([IDLE_SO_FAR, 'idle_crowded'] as const) : ([SILENT_SO_FAR, 'half_open_crowded'] as const)
    return (
      this.#evict(this.#quietVictim([...among], rules, shares, newcomer, now), because) ??
      this.#evict(shares.whoGivesWay(newcomer.networks, 0), 'crowded')
    )
  }

  #evict(instead: S | undefined, because: HangUp): Evicted<S> | undefined {
    return instead && { instead, because }
  }

  /** Of the quiet: in the most crowded network, there in the most crowded one inside, and so on, the quietest. */
  #quietVictim(
    slots: readonly S[],
    rules: ReadonlyArray<(slot: S, now: number) => boolean>,
    shares: FairShares<S>,
    newcomer: S,
    now: number,
  ): S | undefined {
    for (const rule of rules) {
      let among = slots.filter((slot) => rule(slot, now) && isOwed(slot.networks, newcomer.networks, shares))
      for (let depth = 1; among.some(({ networks }) => networks.length >= depth); depth++) {
        const counts = among.map(({ networks }) => shares.count(networks, depth))
        const most = counts.reduce((a, b) => Math.max(a, b))
        among = among.filter((_, i) => counts[i] === most)
      }
      if (among.length > 0) {
        return among.reduce((a, b) => (quietFor(b, now) > quietFor(a, now) ? b : a))
      }
    }
    return undefined
  }
}

/** Whether a quiet connection gives way: where the two networks part, its own is as crowded as the newcomer's. */
function isOwed(networks: readonly string[], newcomers: readonly string[], shares: FairShares<unknown>): boolean {
  const at = networks.findIndex((network, i) => network !== newcomers[i])
  return at < 0 || shares.count(networks, at + 1) >= shares.count(newcomers, at + 1)
}
