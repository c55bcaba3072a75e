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
  /** Addresses that gave way to others, in a full subnet or with their network. */
  evicted: number
  /** Addresses that could not be proved in time, and will be tried again. */
  pending: number
  /** Requests answered with an error. */
  errors: number
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
  }
}
