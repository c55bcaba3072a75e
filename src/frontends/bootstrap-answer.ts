import type { Clock } from '../clock.ts'
import { MAX_ADDRESS_BYTES } from '../peer/address.ts'
import type { Caller } from '../policy/caller.ts'
import type { Outcome, RendezvousPoint } from '../rendezvous-point.ts'
import {
  type BootstrapRequest,
  DEFAULT_ANSWER_BYTES,
  DEFAULT_LIMIT,
  encodedLength,
  encodeExplained,
  encodeFault,
  encodePeers,
  type Fault,
  MAX_ANSWER_BYTES,
  type PeerRecord,
  type Verdict,
} from '../wire/bootstrap-codec.ts'

export interface AnswerInit {
  readonly point: RendezvousPoint
  readonly clock: Clock
  /** Other bootstraps of this operator, multiaddrs with `/p2p`. */
  readonly siblings?: readonly string[]
}

/** What became of a request's registrations. With a fault there are no outcomes, but peers all the same. */
export interface Served {
  readonly outcomes: readonly Outcome[]
  readonly fault: Fault | undefined
}

/** The line that answers a request: in the form that was asked for, with as many peers as fit. */
export function answerTo(
  request: BootstrapRequest,
  caller: Caller,
  served: Served,
  { point, clock, siblings = [] }: AnswerInit,
): string {
  const encode = encoderFor(request, caller, served, siblings, clock())
  const most = request.limit === undefined ? DEFAULT_ANSWER_BYTES : MAX_ANSWER_BYTES
  return encode(peersFor(request, caller, most - Buffer.byteLength(encode([])), point))
}

/** All of the answer but its peers. */
function encoderFor(
  { explain }: BootstrapRequest,
  { observed }: Caller,
  { outcomes, fault }: Served,
  siblings: readonly string[],
  now: number,
): (peers: readonly PeerRecord[]) => string {
  if (!explain) {
    return (peers) => (fault === undefined ? encodePeers(peers) : encodeFault(fault, peers))
  }
  const registrations = outcomes.map((outcome) => verdictOf(outcome, now))
  const bootstraps = siblings.length === 0 ? {} : { bootstraps: siblings }
  return (peers) => encodeExplained(peers, { observed, registrations, ...bootstraps }, fault)
}

function peersFor(
  { network, limit = DEFAULT_LIMIT }: BootstrapRequest,
  caller: Caller,
  bytes: number,
  point: RendezvousPoint,
): PeerRecord[] {
  let room = bytes
  const records: PeerRecord[] = []
  for (const peer of point.discover(caller, { network, limit })) {
    const registrations = point.addressesFor(caller, peer)
    if (registrations.length === 0) {
      continue
    }
    const record: PeerRecord = {
      addresses: registrations.map(({ address }) => `${address}/p2p/${peer.id}`),
      ...(registrations.every(({ health }) => health === 'reachable') ? {} : { unverified: true }),
    }
    room -= encodedLength(record)
    if (room < 0) {
      break
    }
    records.push(record)
  }
  return records
}

function verdictOf(outcome: Outcome, now: number): Verdict {
  const { requested, address, status, refusal, expiresAt } = outcome
  return {
    // What could not be read is told back so that its sender knows it again, and no longer than an address may be.
    address: address ?? requested.slice(0, MAX_ADDRESS_BYTES),
    status,
    code: refusal?.code ?? status,
    message: refusal?.message ?? MESSAGES[status],
    expiresIn: expiresAt === undefined || !Number.isFinite(expiresAt) ? null : Math.ceil((expiresAt - now) / 1000),
  }
}

const MESSAGES: Readonly<Record<Outcome['status'], string>> = {
  listed: 'others are handed this address',
  pending: 'not proved yet; it will be listed when you answer there',
  refused: 'not listed',
}
