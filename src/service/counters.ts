/** Counts since the service was constructed. The set of keys is closed, so that they can label a metric. */
export interface Counters {
  /** Requests that were read. Each is then answered with a list or with an error, unless its caller leaves. */
  requests: number
  /** Requests answered with a list. */
  answered: number
  /** Addresses registered for the first time. */
  registered: number
  /** Addresses renewed. */
  renewed: number
  /** Addresses refused. */
  refused: number
  /** Addresses removed because their peers asked for it. */
  removed: number
  /** Addresses that gave way to others, in a full subnet or with their network. */
  evicted: number
  /** Addresses whose dial-back was not over in time; it is tried again. */
  pending: number
  /** Requests answered with an error. */
  errors: number
  /** Exchanges refused: all places were taken, or those of its IP or subnet, and none that is silent gave way. */
  noRoom: number
  /** Silent exchanges ended because a caller of a less crowded neighbourhood needed the place. */
  gaveWay: number
  /** Exchanges in which no request came that could be read. */
  silent: number
}

export function zeroCounters(): Counters {
  return {
    requests: 0,
    answered: 0,
    registered: 0,
    renewed: 0,
    refused: 0,
    removed: 0,
    evicted: 0,
    pending: 0,
    errors: 0,
    noRoom: 0,
    gaveWay: 0,
    silent: 0,
  }
}
