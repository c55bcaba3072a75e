/** The protections, each of which can be switched off, so that a doubt can be settled in production. */
export const PROTECTIONS = [
  /** A budget of bytes for each connection. */
  'bytes',
  /** No yamux frame longer than its window, and a budget of work for each connection. */
  'frames',
  /** Silent sockets go, and give way. */
  'halfOpen',
  /** Limits by network group, and the rate of new connections. */
  'groups',
  /** Idle connections go, and give way. */
  'idle',
  /** Whoever does not read its answers goes. */
  'slowReaders',
  /** What comes in is served a few milliseconds at a time. */
  'loopShare',
  /** Who left is forgotten. */
  'peerStore',
  /** No dials to names, unix sockets and relays. */
  'dials',
] as const

export type Protection = (typeof PROTECTIONS)[number]

/** What makes a join cheaper than a stock libp2p does. Each can be switched off, so that a doubt can be settled. */
export const OPTIMIZATIONS = [
  /** X25519 keys that stay key objects. */
  'keyObjects',
  /** The signature of the static Noise key is made once. */
  'signOnce',
  /** The small writes of one turn become one. */
  'joinedWrites',
  /** A logger that costs nothing where nobody listens. */
  'silentLogger',
  /** What libp2p notes of everybody who opens a stream is not noted. */
  'lightPeerStore',
  /** Lengths of Noise messages are read without exceptions. */
  'noiseLengths',
] as const

export type Optimization = (typeof OPTIMIZATIONS)[number]

/** What a node does without. */
export interface Disabled {
  readonly optimizations?: readonly Optimization[]
  readonly protections?: readonly Protection[]
}
