import { type Ip, subnetsOf } from '../../peer/ip.ts'
import type { HangUp, Refusal } from './guard-counters.ts'

/** How many connections there may be, of each kind. */
export interface ConnectionLimits {
  /** Connections whose handshake is done. */
  readonly open: number
  /** Sockets whose handshake is not done yet. */
  readonly halfOpen: number
  /** Of one public IPv4 address or IPv6 /56, half-open ones counted. go-libp2p's conn_limiter has the same. */
  readonly perIp: number
  /** Of one public IPv4 /24 or IPv6 /48. */
  readonly perSubnet: number
}

/** A connection as the table sees it. Times are ms of one clock. */
export interface GuardedSlot {
  /** The subnets that it comes from: see {@link groupsOf}. */
  readonly groups: readonly [ip: string, subnet: string]
  /** Whether the limits by subnet apply. A private range may be one machine with a whole test network. */
  readonly limited: boolean
  readonly since: number
  /** When bytes last arrived. */
  heardAt: number
  bytes: number
  /** When a stream was last used. */
  usedAt?: number
  /** When the other side last opened a stream. */
  askedAt?: number
  /** Whether it has begun a frame and not ended it. */
  unfinished(): boolean
  /** Streams that are open now. */
  streams(): number
}

/** Refused, admitted, or admitted after evicting another connection. */
export type Place<S extends GuardedSlot> = { readonly refusal: Refusal } | { readonly instead?: S }

/**
 * A connection that sends nothing for this long in the middle of its handshake, or of a frame, is hung up on, ms.
 * Either takes a round trip or two.
 */
export const SILENT_MS = 3000
/**
 * A connection without a stream in use for this long is idle, ms, also in an empty table: connecting again costs one
 * handshake.
 */
export const IDLE_MS = 60_000
/** The same in a full table, ms. Between {@link CROWDED} and full it falls linearly. */
export const CROWDED_IDLE_MS = 5000
/** From this fraction of the table up, idle connections are hung up on early. */
export const CROWDED = 0.8

/** Which connections may be evicted for a newcomer, by ms of quiet. */
const NEVER_USED_MS = 1000
const NO_STREAM_MS = 5000
/** A stream may be quiet while its answer waits for dial-backs (5 s) and for its reader (5 s). */
const QUIET_STREAM_MS = 15_000
/** When there is none of these: a connection that has not asked yet, or has its answer. */
const HASTY_NEVER_USED_MS = 250
const HASTY_NO_STREAM_MS = 2000
/** A connection that keeps a stream busy without opening another one, as a ping does, is evicted in the end. */
const NO_NEW_STREAM_MS = 30_000
/** And half-open ones: silent so far, or silent since. */
const NOTHING_SAID_MS = 250
const NOTHING_MORE_SAID_MS = 1000

/**
 * The connections that are open, and which of them goes when there is no room: the idle first, and of those the ones
 * of the most crowded subnet, so that a newcomer from elsewhere gets in however many connections one subnet sends.
 * libp2p itself refuses all newcomers when its table is full, and keeps idle connections.
 */
export class ConnectionTable<S extends GuardedSlot> {
  readonly #limits: ConnectionLimits
  readonly #halfOpen = new Set<S>()
  readonly #open = new Set<S>()
  readonly #counts = new Map<string, number>()

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
    const { perIp, perSubnet, halfOpen } = this.#limits
    let instead: S | undefined
    const full = fullGroup(slot, this.#counts, { perIp, perSubnet })
    if (full !== undefined) {
      const neighbours = this.#where((each) => each.groups.includes(full))
      instead = this.#halfOpenVictim(neighbours, now) ?? this.#idleVictim(neighbours, now)
      if (instead === undefined) {
        return { refusal: 'group_full' }
      }
    } else if (this.#halfOpen.size >= halfOpen) {
      instead = this.#halfOpenVictim(this.#halfOpen, now)
      if (instead === undefined) {
        return { refusal: 'half_open_full' }
      }
    }
    this.#halfOpen.add(slot)
    for (const key of slot.groups) {
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    }
    return instead === undefined ? {} : { instead }
  }

  /** The handshake is done. Only now the limit of connections counts, so that silent sockets evict no connection. */
  settle(slot: S, now: number): Place<S> {
    const instead = this.#open.size >= this.#limits.open ? this.#idleVictim(this.#open, now) : undefined
    if (this.#open.size >= this.#limits.open && instead === undefined) {
      return { refusal: 'table_full' }
    }
    this.#halfOpen.delete(slot)
    this.#open.add(slot)
    return instead === undefined ? {} : { instead }
  }

  /** The connection has ended or is about to. Idempotent. */
  leave(slot: S): void {
    const left = this.#halfOpen.delete(slot) || this.#open.delete(slot)
    if (!left) {
      return
    }
    for (const key of slot.groups) {
      const count = this.#counts.get(key)! - 1
      if (count === 0) {
        this.#counts.delete(key)
      } else {
        this.#counts.set(key, count)
      }
    }
  }

  /** The connections that have to be hung up on by now. */
  overdue(now: number): Array<readonly [S, HangUp]> {
    const silent = this.#where(
      (slot) => now - slot.heardAt >= SILENT_MS && (!this.#open.has(slot) || slot.unfinished()),
    )
    return [...silent.map((slot) => [slot, 'silent'] as const), ...this.#idle(now)]
  }

  #idle(now: number): Array<readonly [S, HangUp]> {
    const { open } = this.#limits
    const crowdedBy = this.#open.size - Math.floor(open * CROWDED)
    const over = Math.min(1, Math.max(0, crowdedBy / (open * (1 - CROWDED))))
    const limit = IDLE_MS - over * (IDLE_MS - CROWDED_IDLE_MS)
    const idle = [...this.#open].filter((slot) => slot.streams() === 0 && quiet(slot, now) >= limit)
    const long = idle.filter((slot) => quiet(slot, now) >= IDLE_MS)
    const short = idle.filter((slot) => quiet(slot, now) < IDLE_MS).sort((a, b) => this.#order(a, b, now))
    return [
      ...long.map((slot) => [slot, 'idle'] as const),
      ...short.slice(0, Math.max(0, crowdedBy - long.length)).map((slot) => [slot, 'idle_crowded'] as const),
    ]
  }

  #halfOpenVictim(among: Iterable<S>, now: number): S | undefined {
    const candidates = [...among].filter((slot) => this.#halfOpen.has(slot))
    return (
      this.#first(candidates, now, (slot) => slot.bytes === 0 && now - slot.since >= NOTHING_SAID_MS) ??
      this.#first(candidates, now, (slot) => now - slot.heardAt >= NOTHING_MORE_SAID_MS)
    )
  }

  #idleVictim(among: Iterable<S>, now: number): S | undefined {
    const candidates = [...among].filter((slot) => this.#open.has(slot))
    return (
      this.#first(candidates, now, (slot) => quiet(slot, now) >= quietLimit(slot)) ??
      this.#first(candidates, now, (slot) => quiet(slot, now) >= hastyQuietLimit(slot)) ??
      this.#first(candidates, now, (slot) => now - (slot.askedAt ?? slot.since) >= NO_NEW_STREAM_MS)
    )
  }

  #first(slots: readonly S[], now: number, eligible: (slot: S) => boolean): S | undefined {
    let first: S | undefined
    for (const slot of slots) {
      if (eligible(slot) && (first === undefined || this.#order(slot, first, now) < 0)) {
        first = slot
      }
    }
    return first
  }

  /** The most crowded subnet first, and in it the quietest connection. */
  #order(a: S, b: S, now: number): number {
    return this.#crowd(b) - this.#crowd(a) || quiet(b, now) - quiet(a, now)
  }

  #crowd(slot: S): number {
    return this.#counts.get(slot.groups[1]) ?? 0
  }

  #where(wanted: (slot: S) => boolean): S[] {
    return [...this.slots()].filter(wanted)
  }
}

/** An IPv4 address and its /24, or the /56 and /48 of an IPv6 one: what one customer and one site have. */
export function groupsOf(ip: Ip): readonly [ip: string, subnet: string] {
  return [subnetsOf(ip)[2]!, subnetsOf(ip)[1]!]
}

function quiet(slot: GuardedSlot, now: number): number {
  return now - (slot.usedAt ?? slot.since)
}

function quietLimit(slot: GuardedSlot): number {
  if (slot.usedAt === undefined) {
    return NEVER_USED_MS
  }
  return slot.streams() === 0 ? NO_STREAM_MS : QUIET_STREAM_MS
}

function hastyQuietLimit(slot: GuardedSlot): number {
  if (slot.usedAt === undefined) {
    return HASTY_NEVER_USED_MS
  }
  return slot.streams() === 0 ? HASTY_NO_STREAM_MS : QUIET_STREAM_MS
}

/** The group of a newcomer that has no room left. */
function fullGroup(
  { groups: [ip, subnet], limited }: GuardedSlot,
  counts: ReadonlyMap<string, number>,
  { perIp, perSubnet }: Pick<ConnectionLimits, 'perIp' | 'perSubnet'>,
): string | undefined {
  if (!limited) {
    return undefined
  }
  if ((counts.get(ip) ?? 0) >= perIp) {
    return ip
  }
  return (counts.get(subnet) ?? 0) >= perSubnet ? subnet : undefined
}
