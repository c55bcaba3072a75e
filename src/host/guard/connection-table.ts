import { type Ip, prefixOf } from '../../peer/ip.ts'
import type { HangUp, Refusal } from './guard-counters.ts'

/** How many connections there may be. */
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
export interface Seat {
  /** The networks it comes from: see {@link groupsOf}. */
  readonly groups: readonly [ip: string, subnet: string]
  /** Whether the limits by network hold. A private range may be one machine with a whole test network. */
  readonly limited: boolean
  readonly since: number
  /** Bytes last came in. */
  heardAt: number
  bytes: number
  /** A stream was last used. */
  usedAt?: number
  /** A stream was last opened by the other side. */
  askedAt?: number
  /** Whether it has begun a frame and not ended it. */
  unfinished(): boolean
  /** Streams open now. */
  streams(): number
}

/** Who may sit down: nobody, or the newcomer, perhaps in place of somebody else. */
export type Place<S extends Seat> = { readonly refusal: Refusal } | { readonly instead?: S }

/**
 * A connection that says nothing for so long in the middle of its handshake, or of a frame, is hung up on, ms.
 * Either takes a round trip or two.
 */
export const SILENT_MS = 3000
/** Without a stream in use for so long a connection is idle, however empty the table: asking again costs one handshake. */
export const IDLE_MS = 60_000
/** The same when the table is full. Between {@link CROWDED} and full it falls evenly. */
export const CROWDED_IDLE_MS = 5000
/** From this part of the table up, idle connections go early. */
export const CROWDED = 0.8

/** Who may be hung up on for a newcomer's sake: ms of quiet. */
const NEVER_USED_MS = 1000
const NO_STREAM_MS = 5000
/** A stream may be quiet while its answer waits for proofs (5 s) and for its reader (5 s). */
const QUIET_STREAM_MS = 15_000
/** When none of these is there: a new one has not said what it wants yet, or has its answer. */
const HASTY_NEVER_USED_MS = 250
const HASTY_NO_STREAM_MS = 2000
/** Whoever keeps a stream busy without ever opening another one, as a ping does, gives way in the end. */
const NO_NEW_STREAM_MS = 30_000
/** And half-open ones: nothing said yet, or nothing more. */
const NOTHING_SAID_MS = 250
const NOTHING_MORE_SAID_MS = 1000

/**
 * Who is connected, and who has to go when there is no room: the idle first, those of the most crowded network first
 * among them, so that a newcomer from elsewhere gets in however many one network sends. libp2p itself refuses all
 * newcomers when its table is full, and keeps the idlers.
 */
export class ConnectionTable<S extends Seat> {
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

  /** All of them. */
  *seats(): Generator<S> {
    yield* this.#halfOpen
    yield* this.#open
  }

  /** A socket was accepted. Seated unless refused; who sits there instead has to be hung up on by the caller. */
  arrive(seat: S, now: number): Place<S> {
    const { perIp, perSubnet, halfOpen } = this.#limits
    let instead: S | undefined
    const full = fullGroup(seat, this.#counts, { perIp, perSubnet })
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
    this.#halfOpen.add(seat)
    for (const key of seat.groups) {
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    }
    return instead === undefined ? {} : { instead }
  }

  /** The handshake is done. Only now the table of connections is looked at: silent sockets push nobody out of it. */
  settle(seat: S, now: number): Place<S> {
    const instead = this.#open.size >= this.#limits.open ? this.#idleVictim(this.#open, now) : undefined
    if (this.#open.size >= this.#limits.open && instead === undefined) {
      return { refusal: 'table_full' }
    }
    this.#halfOpen.delete(seat)
    this.#open.add(seat)
    return instead === undefined ? {} : { instead }
  }

  /** It is gone, or as good as gone. Idempotent. */
  leave(seat: S): void {
    const left = this.#halfOpen.delete(seat) || this.#open.delete(seat)
    if (!left) {
      return
    }
    for (const key of seat.groups) {
      const count = this.#counts.get(key)! - 1
      if (count === 0) {
        this.#counts.delete(key)
      } else {
        this.#counts.set(key, count)
      }
    }
  }

  /** Who has to be hung up on by now. */
  overdue(now: number): Array<readonly [S, HangUp]> {
    const silent = this.#where(
      (seat) => now - seat.heardAt >= SILENT_MS && (!this.#open.has(seat) || seat.unfinished()),
    )
    return [...silent.map((seat) => [seat, 'silent'] as const), ...this.#idle(now)]
  }

  #idle(now: number): Array<readonly [S, HangUp]> {
    const { open } = this.#limits
    const crowdedBy = this.#open.size - Math.floor(open * CROWDED)
    const over = Math.min(1, Math.max(0, crowdedBy / (open * (1 - CROWDED))))
    const limit = IDLE_MS - over * (IDLE_MS - CROWDED_IDLE_MS)
    const idle = [...this.#open].filter((seat) => seat.streams() === 0 && quiet(seat, now) >= limit)
    const long = idle.filter((seat) => quiet(seat, now) >= IDLE_MS)
    const short = idle.filter((seat) => quiet(seat, now) < IDLE_MS).sort((a, b) => this.#order(a, b, now))
    return [
      ...long.map((seat) => [seat, 'idle'] as const),
      ...short.slice(0, Math.max(0, crowdedBy - long.length)).map((seat) => [seat, 'idle_crowded'] as const),
    ]
  }

  #halfOpenVictim(among: Iterable<S>, now: number): S | undefined {
    const candidates = [...among].filter((seat) => this.#halfOpen.has(seat))
    return (
      this.#first(candidates, now, (seat) => seat.bytes === 0 && now - seat.since >= NOTHING_SAID_MS) ??
      this.#first(candidates, now, (seat) => now - seat.heardAt >= NOTHING_MORE_SAID_MS)
    )
  }

  #idleVictim(among: Iterable<S>, now: number): S | undefined {
    const candidates = [...among].filter((seat) => this.#open.has(seat))
    return (
      this.#first(candidates, now, (seat) => quiet(seat, now) >= patienceWith(seat)) ??
      this.#first(candidates, now, (seat) => quiet(seat, now) >= hasteWith(seat)) ??
      this.#first(candidates, now, (seat) => now - (seat.askedAt ?? seat.since) >= NO_NEW_STREAM_MS)
    )
  }

  #first(seats: readonly S[], now: number, eligible: (seat: S) => boolean): S | undefined {
    let first: S | undefined
    for (const seat of seats) {
      if (eligible(seat) && (first === undefined || this.#order(seat, first, now) < 0)) {
        first = seat
      }
    }
    return first
  }

  /** The most crowded network first, and in it the quietest. */
  #order(a: S, b: S, now: number): number {
    return this.#crowd(b) - this.#crowd(a) || quiet(b, now) - quiet(a, now)
  }

  #crowd(seat: S): number {
    return this.#counts.get(seat.groups[1]) ?? 0
  }

  #where(wanted: (seat: S) => boolean): S[] {
    return [...this.seats()].filter(wanted)
  }
}

/** An IPv4 address and its /24, or the /56 and /48 of an IPv6 one: what one customer and one site have. */
export function groupsOf(ip: Ip): readonly [ip: string, subnet: string] {
  return ip.family === 4 ? [ip.text, prefixOf(ip, 24)] : [prefixOf(ip, 56), prefixOf(ip, 48)]
}

function quiet(seat: Seat, now: number): number {
  return now - (seat.usedAt ?? seat.since)
}

function patienceWith(seat: Seat): number {
  if (seat.usedAt === undefined) {
    return NEVER_USED_MS
  }
  return seat.streams() === 0 ? NO_STREAM_MS : QUIET_STREAM_MS
}

function hasteWith(seat: Seat): number {
  if (seat.usedAt === undefined) {
    return HASTY_NEVER_USED_MS
  }
  return seat.streams() === 0 ? HASTY_NO_STREAM_MS : QUIET_STREAM_MS
}

/** The group of a newcomer that has no room left. */
function fullGroup(
  { groups: [ip, subnet], limited }: Seat,
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
