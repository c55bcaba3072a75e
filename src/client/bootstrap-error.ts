import { NameLookupError } from './literal-addresses.ts'

/** Why a bootstrap gave no answer. What it says itself (`rate_limited`, `unavailable`, …) keeps its own code. */
export type BootstrapErrorCode =
  /** Nobody answers there. */
  | 'unreachable'
  /** Its name has no address in the DNS, or the DNS does not answer. */
  | 'name_not_resolved'
  /** Somebody else answers there: the bootstrap has a new identity, or it is not the bootstrap. */
  | 'wrong_peer'
  /** It is a libp2p node, but no bootstrap. */
  | 'unsupported'
  /** It said nothing in time. */
  | 'timeout'
  /** The caller's signal. */
  | 'aborted'
  /** It hung up before it answered. */
  | 'reset'
  /** It answered, but not with a list of peers. */
  | 'answer_too_long'
  | 'answer_not_utf8'
  | 'answer_not_json'
  | 'answer_not_a_list'
  /** What the bootstrap said; newer ones may have codes of their own. */
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

/** Whatever went wrong in a call as a {@link BootstrapError}; `interrupted` when its time was over. */
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

const MESSAGES = {
  timeout: 'it did not answer in time',
  aborted: 'the call was called off',
  wrong_peer: 'another peer answers at its address',
  unsupported: 'a libp2p node answers there, but it is no bootstrap',
  reset: 'it hung up before it answered',
  unreachable: 'nobody answers at its address',
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
