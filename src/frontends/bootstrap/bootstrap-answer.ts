// The answer line of `/bootstrap/1.0.0`, in the form that the request asks for.

import { hostPort, MAX_ADDRESS_BYTES } from '../../peer/address.ts'
import { DEFAULT_ANSWER_BYTES, MAX_ANSWER_BYTES } from '../../peer/limits.ts'
import type { AddressOutcome, AnswerPeer } from '../../point/point-api.ts'
import {
  type BootstrapRequest,
  type EncodedPeer,
  type ExplainedOutcome,
  encodeExplained,
  encodeFault,
  encodePeer,
  encodePeers,
  type Fault,
  type PeerRecord,
} from '../../wire/bootstrap-codec.ts'

/** What an answer says in addition to its peers. */
export interface AnswerFacts {
  /** Where this node sees the caller, a multiaddr. */
  readonly observed: string
  readonly outcomes: readonly AddressOutcome[]
  /** Why nothing was registered; undefined when something was, or nothing was to be. The answer has peers either way. */
  readonly fault: Fault | undefined
  /** Other bootstraps of this operator, multiaddrs with `/p2p`. */
  readonly siblings: readonly string[]
  /** Ms since the epoch. */
  readonly now: number
}

/** The line that answers a request, in the form that was asked for, while peers are added to it. */
export class AnswerDraft {
  readonly #encode: (peers: readonly EncodedPeer[]) => string
  readonly #peers: EncodedPeer[] = []
  #room: number

  constructor({ explain, limit }: Pick<BootstrapRequest, 'explain' | 'limit'>, facts: AnswerFacts) {
    this.#encode = encoderFor(explain, facts)
    const most = limit === undefined ? DEFAULT_ANSWER_BYTES : MAX_ANSWER_BYTES
    this.#room = most - Buffer.byteLength(this.#encode([]))
  }

  /** How many peers are in it. */
  get size(): number {
    return this.#peers.length
  }

  /** Bytes left; negative once a peer did not fit. */
  get room(): number {
    return this.#room
  }

  /** Adds peers, those verified without a flag, until one does not fit. */
  addPeers(peers: readonly AnswerPeer[]): void {
    this.#addAll(peers, ({ id, addresses, verified }) => ({
      addresses: addresses.map((address) => `${address}/p2p/${id}`),
      unverified: !verified,
    }))
  }

  /** Adds canonical multiaddrs of the original program's wire, until one does not fit. */
  addLegacy(addresses: readonly string[]): void {
    this.#addAll(addresses, (address) => ({ addresses: [hostPort(address)], legacy: true }))
  }

  toString(): string {
    return this.#encode(this.#peers)
  }

  #addAll<T>(items: readonly T[], recordOf: (item: T) => PeerRecord): void {
    for (const item of items) {
      const encoded = encodePeer(recordOf(item))
      this.#room -= encoded.length + COMMA
      if (this.#room < 0) {
        return
      }
      this.#peers.push(encoded)
    }
  }
}

const COMMA = 1

/** Returns what encodes the answer around its peers. */
function encoderFor(
  explain: boolean,
  { observed, outcomes, fault, siblings, now }: AnswerFacts,
): (peers: readonly EncodedPeer[]) => string {
  if (!explain) {
    return (peers) => (fault === undefined ? encodePeers(peers) : encodeFault(fault, peers))
  }
  const registrations = outcomes.map((outcome) => explainedOutcome(outcome, now))
  const bootstraps = siblings.length === 0 ? {} : { bootstraps: siblings }
  return (peers) => encodeExplained(peers, { observed, registrations, ...bootstraps }, fault)
}

function explainedOutcome(outcome: AddressOutcome, now: number): ExplainedOutcome {
  const { status, requested, address } = outcome
  const why = status === 'refused' ? outcome.refusal : undefined
  const expiresAt = status === 'listed' || status === 'pending' ? outcome.expiresAt : undefined
  return {
    // An address that could not be read is sent back for the caller to recognise, cut to the longest that an address has.
    address: address ?? requested.slice(0, MAX_ADDRESS_BYTES),
    status,
    code: why?.code ?? status,
    message: why?.message ?? MESSAGES[status],
    expiresIn: expiresAt === undefined ? null : Math.ceil((expiresAt - now) / 1000),
  }
}

const MESSAGES: Readonly<Record<AddressOutcome['status'], string>> = {
  listed: 'other peers get this address',
  pending: 'not verified yet; it is listed once you answer a dial-back there',
  removed: 'removed at your request',
  refused: 'not listed',
}
