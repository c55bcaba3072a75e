// What each request of `/rendezvous/1.0.0` does, and the message that answers it.

import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Random } from '../../base/random.ts'
import {
  DEFAULT_ANSWER_BYTES,
  DEFAULT_TTL_MS,
  MAX_ANSWER_BYTES,
  MAX_LIMIT,
  MAX_TTL_MS,
  MIN_TTL_MS,
} from '../../peer/limits.ts'
import { MAX_RECORD_ADDRESSES, openRecord, type SignedRecord } from '../../peer/record.ts'
import type {
  AddressOutcome,
  PagePosition,
  PointApi,
  RecordEntry,
  RecordPage,
  RecordPageRefusal,
  RecordRefusal,
  UnsignedRecord,
} from '../../point/point-api.ts'
import { decodeCookie, encodeCookie } from '../../wire/discover-cookie.ts'
import { decodePeerInfo, encodePeerInfo } from '../../wire/peer-info.ts'
import { encodedLength } from '../../wire/rendezvous-codec.ts'
import type {
  Discover,
  DiscoverResponse,
  Register,
  RegisterResponse,
  RendezvousMessage,
} from '../../wire/rendezvous-messages.ts'
import { type Exchange, VERDICT_TIMEOUT_MS } from '../exchanges/exchange.ts'
import { pagePrice } from './page-price.ts'
import type { ReaderForms } from './reader-forms.ts'
import { type Failure, failureOf } from './rendezvous-status.ts'

export interface RendezvousAnswersInit {
  readonly point: PointApi
  readonly forms: ReaderForms
  readonly random: Random
}

type Request = Extract<RendezvousMessage, { type: 'REGISTER' | 'UNREGISTER' | 'DISCOVER' }>
type Answer = Extract<RendezvousMessage, { type: 'REGISTER_RESPONSE' | 'DISCOVER_RESPONSE' }>

/** Serves the requests of the rendezvous protocol: decoded messages in, the messages that answer them out. */
export class RendezvousAnswers {
  readonly #init: RendezvousAnswersInit
  /** Identifies this run of the program in its cookies. */
  readonly #epoch: number

  constructor(init: RendezvousAnswersInit) {
    this.#init = init
    this.#epoch = Math.floor(init.random() * 2 ** 32)
  }

  /** Returns the answer, which UNREGISTER has none of; `ok` is false when something was refused. */
  async answer(request: Request, exchange: Exchange): Promise<{ answer: Answer | undefined; ok: boolean }> {
    switch (request.type) {
      case 'REGISTER': {
        const response = await this.#register(request, exchange)
        return { answer: { type: 'REGISTER_RESPONSE', ...response }, ok: response.status === 'OK' }
      }
      case 'UNREGISTER':
        return { answer: undefined, ok: await this.#unregister(request.ns, exchange) }
      case 'DISCOVER': {
        const response = await this.#discover(request, exchange)
        return { answer: { type: 'DISCOVER_RESPONSE', ...response }, ok: response.status === 'OK' }
      }
    }
  }

  async #register(
    { ns, signedPeerRecord, ttlMs = DEFAULT_TTL_MS }: Register,
    exchange: Exchange,
  ): Promise<RegisterResponse> {
    const { point, forms } = this.#init
    const { caller } = exchange
    if (ns === undefined) {
      return notRegistered({ status: 'E_INVALID_NAMESPACE', statusText: 'no namespace to register in' })
    }
    // The specification recommends 2 h at least, so that renewals do not overload a point; here rates bound those, and
    // a registration of /bootstrap/1.0.0 may be as short.
    if (ttlMs < MIN_TTL_MS || ttlMs > MAX_TTL_MS) {
      const statusText = `a ttl is ${MIN_TTL_MS / 1000} to ${MAX_TTL_MS / 1000} seconds`
      return notRegistered({ status: 'E_INVALID_TTL', statusText })
    }
    const record = await readRecord(signedPeerRecord ?? new Uint8Array(0), caller.peerId)
    if (typeof record === 'string') {
      exchange.count('refused')
      return notRegistered(failureOf(record))
    }
    const signal = AbortSignal.timeout(VERDICT_TIMEOUT_MS)
    const outcome = await point.registerRecord(caller, { network: ns, record, ttlMs }, signal)
    if (record.peerId === caller.peerId) {
      forms.note(caller.peerId, record.form)
    }
    switch (outcome.status) {
      case 'listed':
        exchange.count(outcome.renewed ? 'renewed' : 'registered')
        return { status: 'OK', ttlMs: outcome.ttlMs, statusText: outcome.withheld ? WITHHELD : undefined }
      case 'pending':
        exchange.count('pending')
        return notRegistered({ status: 'E_UNAVAILABLE', statusText: PENDING })
      case 'refused':
        exchange.count('refused')
        return notRegistered(failureOf(outcome.code))
    }
  }

  /** Has no answer, by the specification; a namespace that the caller is not in is no error. Returns whether it was done. */
  async #unregister(ns: string | undefined, exchange: Exchange): Promise<boolean> {
    if (ns === undefined) {
      return true
    }
    const outcomes = await this.#init.point.unregister(exchange.caller, { network: ns, addresses: [] })
    for (const { status } of outcomes.filter(isRemovedOrRefused)) {
      exchange.count(status)
    }
    return outcomes.every(({ status }) => status !== 'refused')
  }

  async #discover({ ns, limit, cookie }: Discover, exchange: Exchange): Promise<DiscoverResponse> {
    const { point, forms } = this.#init
    const { caller, connection } = exchange
    const from = this.#positionOf(cookie, ns)
    if (from === 'invalid') {
      return notDiscovered(INVALID_COOKIE)
    }
    const { own, usual } = await point.recordForms(caller, ns)
    const form = own ?? (await forms.formOf(connection)) ?? usual
    // Long answers only while the budget of unread answers has room.
    const maxBytes = exchange.isCrowded ? DEFAULT_ANSWER_BYTES : MAX_ANSWER_BYTES
    const page = await point.discoverRecords(caller, {
      network: ns,
      form,
      from,
      limit: Math.min(limit ?? MAX_LIMIT, MAX_LIMIT),
      maxBytes,
    })
    if ('refused' in page) {
      return notDiscovered(pageFailure(page))
    }
    const { registrations, end, bytes } = cut(page, maxBytes)
    exchange.charge(pagePrice({ records: registrations.length, walked: page.walked, bytes }))
    return {
      status: 'OK',
      statusText: undefined,
      registrations,
      cookie: encodeCookie({ ...end, epoch: this.#epoch }, ns),
    }
  }

  /** Where a cookie says that its holder is. Undefined begins anew, also for a cookie of an earlier run: its positions are gone. */
  #positionOf(cookie: Uint8Array | undefined, ns: string | undefined): PagePosition | undefined | 'invalid' {
    if (cookie === undefined || cookie.length === 0) {
      return undefined
    }
    const decoded = decodeCookie(cookie, ns)
    if (decoded === undefined) {
      return 'invalid'
    }
    const { epoch, ...position } = decoded
    return epoch === this.#epoch ? position : undefined
  }
}

const WITHHELD =
  'registered, but the record names private addresses that are not of the network you call from: it is handed out once you register without them'
const PENDING = 'you did not answer at any of the addresses in time; you are listed when you do, or register again'

const INVALID_COOKIE: Failure = {
  status: 'E_INVALID_COOKIE',
  statusText: 'the cookie is not one of this rendezvous point for this namespace',
}

function pageFailure({ refused }: RecordPageRefusal): Failure {
  return refused === 'position_impossible' ? INVALID_COOKIE : failureOf(refused)
}

function isRemovedOrRefused(
  outcome: AddressOutcome,
): outcome is Extract<AddressOutcome, { status: 'removed' | 'refused' }> {
  return outcome.status === 'removed' || outcome.status === 'refused'
}

function notRegistered(failure: Failure): RegisterResponse {
  return { ...failure, ttlMs: undefined }
}

function notDiscovered(failure: Failure): DiscoverResponse {
  return { ...failure, registrations: [], cookie: undefined }
}

/** Reads a signed record, or the `PeerInfo` that was in its place before there were signed records. */
async function readRecord(bytes: Uint8Array, callerId: string): Promise<SignedRecord | UnsignedRecord | RecordRefusal> {
  const info = decodePeerInfo(bytes)
  if (info === undefined) {
    return await openRecord(bytes)
  }
  if (info.addresses.length === 0 || info.addresses.length > MAX_RECORD_ADDRESSES) {
    return 'record_addresses_count'
  }
  if (!Buffer.from(info.id).equals(peerIdFromString(callerId).toMultihash().bytes)) {
    return 'peer_mismatch'
  }
  try {
    return { form: 'unsigned', peerId: callerId, addresses: info.addresses.map((each) => multiaddr(each).toString()) }
  } catch {
    return 'record_not_readable'
  }
}

/** As much of a page as fits, and the position behind it. The point counts records; the answer has more around each. */
function cut(
  { entries, end }: RecordPage,
  maxBytes: number,
): { readonly registrations: readonly Register[]; readonly end: PagePosition; readonly bytes: number } {
  const registrations: Register[] = []
  let bytes = 0
  for (const [i, entry] of entries.entries()) {
    const registration = registrationOf(entry)
    const length = encodedLength(registration)
    // The first always fits: record and namespace are far shorter than the shortest answer.
    if (bytes + length > maxBytes && i > 0) {
      return { registrations, end: entries[i - 1]!.position, bytes }
    }
    bytes += length
    registrations.push(registration)
  }
  return { registrations, end, bytes }
}

function registrationOf({ network, peerId, envelope, addresses, ttlMs }: RecordEntry): Register {
  const signedPeerRecord = envelope ?? encodePeerInfo(peerInfoOf(peerId, addresses))
  return { ns: network, signedPeerRecord, ttlMs }
}

function peerInfoOf(peerId: string, addresses: readonly string[]) {
  return {
    id: peerIdFromString(peerId).toMultihash().bytes,
    addresses: addresses.map((each) => multiaddr(each).bytes),
  }
}
