import type { Clock } from '../../base/clock.ts'
import { hostPort, MAX_ADDRESS_BYTES } from '../../peer/address.ts'
import type { Caller } from '../../peer/caller.ts'
import type { LegacyPeers } from '../../point/legacy-peers.ts'
import type { AddressOutcome } from '../../point/point-api.ts'
import type { RendezvousPoint } from '../../point/rendezvous-point.ts'
import {
  type BootstrapRequest,
  DEFAULT_ANSWER_BYTES,
  DEFAULT_LIMIT,
  type EncodedPeer,
  type ExplainedOutcome,
  encodeExplained,
  encodeFault,
  encodePeer,
  encodePeers,
  type Fault,
  MAX_ANSWER_BYTES,
  type PeerRecord,
} from '../../wire/bootstrap-codec.ts'

export interface AnswerInit {
  readonly point: RendezvousPoint
  readonly clock: Clock
  /** Other bootstraps of this operator, multiaddrs with `/p2p`. */
  readonly siblings?: readonly string[]
  /** Those who registered by the wire of the original. */
  readonly legacy?: LegacyPeers
}

/** What became of a request's registrations. With a fault there are no outcomes, but peers all the same. */
export interface RequestOutcome {
  readonly outcomes: readonly AddressOutcome[]
  readonly fault: Fault | undefined
}

/** The line that answers a request: in the form that was asked for, with as many peers as fit. */
export function answerTo(
  request: BootstrapRequest,
  caller: Caller,
  result: RequestOutcome,
  { point, clock, siblings = [], legacy }: AnswerInit,
): string {
  const encode = encoderFor(request, caller, result, siblings, clock())
  const most = request.limit === undefined ? DEFAULT_ANSWER_BYTES : MAX_ANSWER_BYTES
  const peers = new PeerList(most - Buffer.byteLength(encode([])))
  addPeers(peers, request, caller, point)
  if (request.legacy && legacy !== undefined) {
    addLegacy(peers, request, caller, legacy)
  }
  return encode(peers.encoded)
}

/** The peers of an answer, as many as it has room for. */
class PeerList {
  readonly encoded: EncodedPeer[] = []
  #room: number

  /** `room` in bytes. */
  constructor(room: number) {
    this.#room = room
  }

  /** False when there is no room left. */
  add(record: PeerRecord): boolean {
    const encoded = encodePeer(record)
    this.#room -= encoded.length + COMMA
    if (this.#room < 0) {
      return false
    }
    this.encoded.push(encoded)
    return true
  }
}

const COMMA = 1

/** All of the answer but its peers. */
function encoderFor(
  { explain }: BootstrapRequest,
  { observed }: Caller,
  { outcomes, fault }: RequestOutcome,
  siblings: readonly string[],
  now: number,
): (peers: readonly EncodedPeer[]) => string {
  if (!explain) {
    return (peers) => (fault === undefined ? encodePeers(peers) : encodeFault(fault, peers))
  }
  const registrations = outcomes.map((outcome) => explainedOutcome(outcome, now))
  const bootstraps = siblings.length === 0 ? {} : { bootstraps: siblings }
  return (peers) => encodeExplained(peers, { observed, registrations, ...bootstraps }, fault)
}

function addPeers(
  list: PeerList,
  { network, limit = DEFAULT_LIMIT }: BootstrapRequest,
  caller: Caller,
  point: RendezvousPoint,
): void {
  for (const registrations of point.listing.for(caller).addresses({ network, limit })) {
    const record: PeerRecord = {
      addresses: registrations.map(({ address, peer }) => `${address}/p2p/${peer.id}`),
      unverified: registrations.some(({ health }) => health !== 'reachable'),
    }
    if (!list.add(record)) {
      return
    }
  }
}

/** As many of the original's wire as the answer still has room for. They have no network, so they are in the one without a name. */
function addLegacy(
  list: PeerList,
  { network, limit = DEFAULT_LIMIT }: BootstrapRequest,
  { scope }: Caller,
  legacy: LegacyPeers,
): void {
  for (const address of network === '' ? legacy.addressesFor(scope) : []) {
    if (list.encoded.length >= limit || !list.add({ addresses: [hostPort(address)], legacy: true })) {
      return
    }
  }
}

function explainedOutcome(outcome: AddressOutcome, now: number): ExplainedOutcome {
  const { requested, address, status } = outcome
  const expiresAt = 'expiresAt' in outcome ? outcome.expiresAt : undefined
  return {
    // What could not be read is told back so that its sender knows it again, and no longer than an address may be.
    address: address ?? requested.slice(0, MAX_ADDRESS_BYTES),
    status: status === 'removed' ? 'refused' : status,
    code: status === 'refused' ? outcome.refusal.code : status,
    message: status === 'refused' ? outcome.refusal.message : MESSAGES[status],
    expiresIn: expiresAt === undefined ? null : Math.ceil((expiresAt - now) / 1000),
  }
}

const MESSAGES: Readonly<Record<Exclude<AddressOutcome['status'], 'refused'>, string>> = {
  listed: 'others are handed this address',
  pending: 'not proved yet; it will be listed when you answer there',
  removed: 'taken back',
}
