// The error of a bootstrap that gave no answer: its codes and their messages.

import { NameLookupError } from './literal-addresses.ts'

/** Why a call got no answer. An error that the bootstrap itself names (`rate_limited`, `unavailable`, …) keeps its code. */
export type BootstrapErrorCode =
  /** Nothing answers at its address. */
  | 'unreachable'
  /** Its name has no address in the DNS, or the DNS does not answer. */
  | 'name_not_resolved'
  /** Another peer answers at its address: the bootstrap has a new identity, or it is not the bootstrap. */
  | 'wrong_peer'
  /** A libp2p node answers, but it does not speak `/bootstrap/1.0.0`. */
  | 'unsupported'
  /** It did not answer in time. */
  | 'timeout'
  /** The signal of the caller aborted. */
  | 'aborted'
  /** It closed the connection or the stream before it answered. */
  | 'reset'
  /** It answered, but not with a list of peers. */
  | 'answer_too_long'
  | 'answer_not_utf8'
  | 'answer_not_json'
  | 'answer_not_a_list'
  /** A code that the bootstrap named; later versions may have new ones. */
  | (string & {})

/** A call that a bootstrap did not answer. The message is one line for people. */
export class BootstrapError extends Error {
  override name = 'BootstrapError'
  readonly code: BootstrapErrorCode
  /** PeerId of the bootstrap. */
  readonly bootstrap: string
  /** How long the bootstrap asks to wait, ms; undefined when it does not say. */
  readonly retryAfter: number | undefined

  constructor(
    code: BootstrapErrorCode,
    bootstrap: string,
    message: string,
    { retryAfter, ...options }: ErrorOptions & { readonly retryAfter?: number | undefined } = {},
  ) {
    super(message, options)
    this.code = code
    this.bootstrap = bootstrap
    this.retryAfter = retryAfter
  }
}

/** Returns what went wrong in a call as a {@link BootstrapError}; `interrupted` is why the call was ended early. */
export function bootstrapErrorOf(
  err: unknown,
  bootstrap: string,
  interrupted: 'timeout' | 'aborted' | undefined,
): BootstrapError {
  if (err instanceof BootstrapError) {
    return err
  }
  if (err instanceof NameLookupError) {
    return new BootstrapError('name_not_resolved', bootstrap, err.message, { cause: err })
  }
  const code = interrupted ?? codeOf(err)
  return new BootstrapError(code, bootstrap, MESSAGES[code], { cause: err })
}

/** Returns an error of a call as it is, and any other value that was thrown as one with the code `unexpected`. */
export function asBootstrapError(err: unknown, bootstrap: string): BootstrapError {
  return err instanceof BootstrapError
    ? err
    : new BootstrapError('unexpected', bootstrap, err instanceof Error ? err.message : String(err), { cause: err })
}

const MESSAGES = {
  timeout: 'it did not answer in time',
  aborted: 'the call was cancelled',
  wrong_peer: 'another peer answers at its address',
  unsupported: 'a libp2p node answers there, but it is no bootstrap',
  reset: 'it hung up before it answered',
  unreachable: 'nothing answers at its address',
} as const

function codeOf(err: unknown): keyof typeof MESSAGES {
  const chain = errorsIn(err, 0)
  const names = new Set(chain.map(({ name }) => name))
  // libp2p keeps only the text of what Noise threw.
  if (names.has('UnexpectedPeerError') || chain.some(({ message }) => message.includes('does not match expected'))) {
    return 'wrong_peer'
  }
  if (names.has('UnsupportedProtocolError')) {
    return 'unsupported'
  }
  return RESETS.some((name) => names.has(name)) ? 'reset' : 'unreachable'
}

/** What libp2p throws when the far side ends a stream or a connection. */
const RESETS = [
  'StreamResetError',
  'StreamClosedError',
  'StreamStateError',
  'UnexpectedEOFError',
  'ConnectionClosedError',
]

/** libp2p wraps: several addresses in an AggregateError, a failed handshake in an EncryptionFailedError. */
function errorsIn(err: unknown, depth: number): Error[] {
  if (!(err instanceof Error) || depth > 4) {
    return []
  }
  const inner = err instanceof AggregateError ? err.errors : []
  return [err, ...[err.cause, ...inner].flatMap((each) => errorsIn(each, depth + 1))]
}
