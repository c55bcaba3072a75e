/** What the rounds came to. */
export class Tally {
  kills = 0
  /** Killed while a snapshot was being written: its draft was there and not yet in place. */
  insideSnapshot = 0
  /** Killed between taking the lock and saying that it is ready. */
  insideRecovery = 0
  answered = 0
  lost = 0
  failedStarts = 0
  readonly startMs: number[] = []
  readonly peerIds = new Set<string>()
  readonly notes = new Set<string>()

  get figures() {
    const sorted = this.startMs.toSorted((a, b) => a - b)
    return {
      kills: this.kills,
      insideSnapshot: this.insideSnapshot,
      insideRecovery: this.insideRecovery,
      answered: this.answered,
      lost: this.lost,
      failedStarts: this.failedStarts,
      peerIds: this.peerIds.size,
      medianStartMs: Math.round(sorted[sorted.length >> 1] ?? 0),
      slowestStartMs: Math.round(sorted.at(-1) ?? 0),
    }
  }

  /** What should not be so. Rounds that hit neither a snapshot nor a recovery would prove little. */
  misses(rounds: number): string[] {
    const few = Math.floor(rounds / 20)
    return [
      ...(this.lost > 0 ? [`${this.lost} of ${this.answered} answered registrations were lost`] : []),
      ...(this.failedStarts > 0 ? [`${this.failedStarts} starts failed`] : []),
      ...(this.peerIds.size !== 1 ? [`the node had ${this.peerIds.size} PeerIds`] : []),
      ...(this.insideSnapshot < few ? [`only ${this.insideSnapshot} kills hit a snapshot, ${few} are wanted`] : []),
      ...(this.insideRecovery < few ? [`only ${this.insideRecovery} kills hit a recovery, ${few} are wanted`] : []),
      ...(this.answered < rounds ? [`only ${this.answered} registrations were answered`] : []),
    ]
  }

  table(): string {
    const rows = Object.entries(this.figures).map(([name, figure]) => `${name.padEnd(16)}${String(figure).padStart(8)}`)
    return [...rows, ...[...this.notes].map((note) => `note: ${note}`)].join('\n')
  }
}
