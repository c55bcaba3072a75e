// The names of the protections and optimizations that can be disabled.

/** The protections. Each can be disabled, to rule it out while debugging. */
export const PROTECTIONS = [
  /** A budget of bytes for each connection. */
  'bytes',
  /** No yamux frame longer than its window, and a budget of work for each connection. */
  'frames',
  /** Hangs up on silent sockets, and evicts them for newcomers. */
  'halfOpen',
  /** Limits by IP and subnet, and of the rate of new connections. */
  'groups',
  /** Hangs up on idle connections, and evicts them for newcomers. */
  'idle',
  /** Hangs up on a peer that does not read its answers. */
  'slowReaders',
  /** Time-slices inbound work, 10 ms a turn, so that timers are not starved. */
  'loopShare',
  /** Forgets peers that left. */
  'peerStore',
  /** No dials to names, unix sockets and relays. */
  'dials',
] as const

export type Protection = (typeof PROTECTIONS)[number]

/** What makes a join cheaper than with stock libp2p. Each can be disabled, to rule it out while debugging. */
export const OPTIMIZATIONS = [
  /** Keeps X25519 keys as key objects. */
  'keyObjects',
  /** Signs the static Noise key once. */
  'signOnce',
  /** Joins the small writes of one turn. */
  'joinedWrites',
  /** A logger that costs nothing where no log is wanted. */
  'silentLogger',
  /** Skips the protocol entry that libp2p stores for every inbound peer. */
  'lightPeerStore',
  /** Parses Noise's length prefixes without throwing. */
  'noiseLengths',
] as const

export type Optimization = (typeof OPTIMIZATIONS)[number]

/** What a node runs without. */
export interface Disabled {
  readonly optimizations?: readonly Optimization[]
  readonly protections?: readonly Protection[]
}
