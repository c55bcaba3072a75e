/** Exit codes of the process. Documented in docs/operations.md; supervisors are configured for these. */
export const EXIT = {
  /** Done, or stopped by a signal. */
  ok: 0,
  /** A bug, or a stop that took longer than it may. */
  unexpected: 1,
  /** The command line, the environment or the config file. */
  usage: 2,
  /** The key. */
  identity: 3,
  /** An address to listen on is taken, not allowed, or not of this machine. */
  listen: 4,
  /** The list of peers: another node has it, or it can't be read or written. */
  store: 5,
  /** A bootstrap that was asked does not answer, or not with the expected PeerId. */
  bootstrap: 6,
  /** The bootstraps answer, but this machine is not listed, and `--require-listed` was set. */
  notListed: 7,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A mistake that the user can correct. Its message is the one line to show: no stack. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
