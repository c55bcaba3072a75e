/** What requests came to, since the service was made. The keys are all there is: fit for the labels of a metric. */
export interface Counters {
  /** Requests read, whatever became of them. */
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
  /** Addresses that could not be proved in time, and will be tried again. */
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
    pending: 0,
    errors: 0,
    noRoom: 0,
    gaveWay: 0,
    silent: 0,
  }
}
