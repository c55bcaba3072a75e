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
  /** Addresses whose dial-back was not over in time; it is tried again. */
  pending: number
  /** Requests answered with an error. */
  errors: number
}

export function zeroCounters(): Counters {
  return { requests: 0, answered: 0, registered: 0, renewed: 0, refused: 0, removed: 0, pending: 0, errors: 0 }
}
