import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Random } from '../../base/random.ts'
import { DEFAULT_ANSWER_BYTES, MAX_ANSWER_BYTES, MIN_TTL_MS } from '../../peer/limits.ts'
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
import {
  DEFAULT_TTL_S,
  type Discover,
  type DiscoverResponse,
  MAX_REGISTRATIONS,
  MAX_TTL_S,
  type Register,
  type RegisterResponse,
  type RendezvousMessage,
} from '../../wire/rendezvous-messages.ts'
import { type Exchange, VERDICT_TIMEOUT_MS } from '../exchanges.ts'
import type { ReaderForms } from './reader-forms.ts'
import { type Failure, failureOf } from './rendezvous-status.ts'

/**
 * The shortest time to live that is granted, s. The specification recommends 2 h, so that a point is not kept busy by
 * renewals; here rates bound those, and a registration of `/bootstrap/1.0.0` may be as short.
 */
export const MIN_TTL_S = MIN_TTL_MS / 1000

export interface RendezvousAnswersInit {
  readonly point: PointApi
  readonly forms: ReaderForms
  readonly random: Random
}

type Request = Extract<RendezvousMessage, { type: 'REGISTER' | 'UNREGISTER' | 'DISCOVER' }>
type Answer = Extract<RendezvousMessage, { type: 'REGISTER_RESPONSE' | 'DISCOVER_RESPONSE' }>

/** What each request of the rendezvous protocol does, and the message that answers it. */
export class RendezvousAnswers {
  readonly #init: RendezvousAnswersInit
  /** Which run of the program gave a cookie. */
  readonly #epoch: number

  constructor(init: RendezvousAnswersInit) {
    this.#init = init
    this.#epoch = Math.floor(init.random() * 2 ** 32)
  }

  /** The answer to a request; none for UNREGISTER. `ok` is false when it says that something was refused. */
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
    { ns, signedPeerRecord, ttl = DEFAULT_TTL_S }: Register,
    exchange: Exchange,
  ): Promise<RegisterResponse> {
    const { point, forms } = this.#init
    const { caller } = exchange
    if (ns === undefined) {
      return notRegistered({ status: 'E_INVALID_NAMESPACE', statusText: 'no namespace to register in' })
    }
    if (ttl < MIN_TTL_S || ttl > MAX_TTL_S) {
      return notRegistered({ status: 'E_INVALID_TTL', statusText: `a ttl is ${MIN_TTL_S} to ${MAX_TTL_S} seconds` })
    }
    const record = await readRecord(signedPeerRecord ?? new Uint8Array(0), caller.peerId)
    if (typeof record === 'string') {
      exchange.count('refused')
      return notRegistered(failureOf(record))
    }
    const signal = AbortSignal.timeout(VERDICT_TIMEOUT_MS)
    const outcome = await point.registerRecord(caller, { network: ns, record, ttlMs: ttl * 1000 }, signal)
    if (record.peerId === caller.peerId) {
      forms.note(caller.peerId, record.form)
    }
    switch (outcome.status) {
      case 'listed':
        exchange.count(outcome.renewed ? 'renewed' : 'registered')
        return { status: 'OK', ttl: outcome.ttlMs / 1000, statusText: outcome.withheld ? WITHHELD : undefined }
      case 'pending':
        exchange.count('pending')
        return notRegistered({ status: 'E_UNAVAILABLE', statusText: PENDING })
      case 'refused':
        exchange.count('refused')
        return notRegistered(failureOf(outcome.code))
    }
  }

  /** The specification has no answer to it, and a namespace that the caller is not in is no error. False when it was refused. */
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
    // Long answers are for when others are read.
    const maxBytes = exchange.isCrowded ? DEFAULT_ANSWER_BYTES : MAX_ANSWER_BYTES
    const page = await point.discoverRecords(caller, {
      network: ns,
      form,
      from,
      limit: Math.min(limit ?? MAX_REGISTRATIONS, MAX_REGISTRATIONS),
      maxBytes,
    })
    if ('refused' in page) {
      return notDiscovered(pageFailure(page))
    }
    const { registrations, end } = cut(page, maxBytes)
    return {
      status: 'OK',
      statusText: undefined,
      registrations,
      cookie: encodeCookie({ ...end, epoch: this.#epoch }, ns),
    }
  }

  /** Where a cookie says that its holder is; undefined begins. One of an earlier run begins too: its positions are gone. */
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
  'registered, but the record names private addresses that do not belong to where you call from: it is handed out once you register without them'
const PENDING = 'you did not answer at any of the addresses in time; you are listed when you do, or register again'

const INVALID_COOKIE: Failure = { status: 'E_INVALID_COOKIE', statusText: 'no cookie of this namespace, here' }

function pageFailure({ refused }: RecordPageRefusal): Failure {
  return refused === 'position_impossible' ? INVALID_COOKIE : failureOf(refused)
}

function isRemovedOrRefused(
  outcome: AddressOutcome,
): outcome is Extract<AddressOutcome, { status: 'removed' | 'refused' }> {
  return outcome.status === 'removed' || outcome.status === 'refused'
}

function notRegistered(failure: Failure): RegisterResponse {
  return { ...failure, ttl: undefined }
}

function notDiscovered(failure: Failure): DiscoverResponse {
  return { ...failure, registrations: [], cookie: undefined }
}

/** A signed record, or what stood in its place before there were any. */
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

/** As much of a page as fits, and where its reader is then. The point counts records, the answer what is around them too. */
function cut(
  { entries, end }: RecordPage,
  maxBytes: number,
): { readonly registrations: readonly Register[]; readonly end: PagePosition } {
  const registrations: Register[] = []
  let room = maxBytes
  for (const [i, entry] of entries.entries()) {
    const registration = registrationOf(entry)
    room -= encodedLength(registration)
    // The first always fits: a record has 4 KiB at most, a namespace 255 bytes.
    if (room < 0 && i > 0) {
      return { registrations, end: entries[i - 1]!.position }
    }
    registrations.push(registration)
  }
  return { registrations, end }
}

function registrationOf({ network, peerId, envelope, addresses, ttlMs }: RecordEntry): Register {
  const signedPeerRecord = envelope ?? encodePeerInfo(peerInfoOf(peerId, addresses))
  return { ns: network, signedPeerRecord, ttl: ttlMs / 1000 }
}

function peerInfoOf(peerId: string, addresses: readonly string[]) {
  return {
    id: peerIdFromString(peerId).toMultihash().bytes,
    addresses: addresses.map((each) => multiaddr(each).bytes),
  }
}
