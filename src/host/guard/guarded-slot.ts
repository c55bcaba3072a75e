import { type Ip, isLimited, type Scope, subnetsOf } from '../../peer/ip.ts'

/** A connection as the table sees it. Times are ms of one clock. */
export interface GuardedSlot {
  /** The networks that it comes from: see {@link networksOf}. */
  readonly networks: readonly string[]
  /** Whether the limits by subnet apply. A private range may be one machine with a whole test network. */
  readonly limited: boolean
  readonly since: number
  /** When bytes last arrived, or, if they had to wait for the event loop, were read. */
  heardAt: number
  bytes: number
  /** How many pieces of what it sent wait here to be read. */
  waiting: number
  /** When a stream was last used. */
  usedAt?: number
  /** When the other side last opened a stream. */
  askedAt?: number
  /** Whether it has begun a frame and not ended it. */
  unfinished(): boolean
  /** Streams that are open now, those for pings not counted. */
  streams(): number
}

/**
 * The networks that a connection comes from, widest first: /16, /24 and address, or /32, /48, /56 and /64. Outside the
 * public internet they are its scope and its address.
 */
export function networksOf(ip: Ip, scope: Scope): readonly string[] {
  return isLimited(scope) ? subnetsOf(ip) : [scope, ip.text]
}
