import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Caller } from '../../peer/caller.ts'
import { MAX_RECORD_ADDRESSES, openRecord, type SignedRecord } from '../../peer/record.ts'
import type { ReadableForm, RecordEntry, RecordRefusal, UnsignedRecord } from '../../point/point-api.ts'
import type { RendezvousPoint } from '../../point/rendezvous-point.ts'
import type { SignedRecords } from '../../point/signed-records.ts'
import type { Position } from '../../registry/listing-order.ts'
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
import type { ReaderForms } from './reader-forms.ts'
import { type Failure, failureOf } from './rendezvous-status.ts'

/** How long the verdict on a registration may take, ms. */
export const VERDICT_TIMEOUT_MS = 5000
/**
 * The shortest time to live that is granted, s. The specification recommends 2 h, so that a point is not kept busy by
 * renewals; here rates bound those, and a registration of `/bootstrap/1.0.0` may be as short.
 */
export const MIN_TTL_S = 60
/** The most bytes of the registrations in an answer: as many as an answer of `/bootstrap/1.0.0` has. */
export const MAX_ANSWER_BYTES = 512 * 1024

export interface RendezvousAnswersInit {
  readonly point: RendezvousPoint
  readonly records: SignedRecords
  readonly forms: ReaderForms
  readonly clock: Clock
  readonly random: Random
  /** Told once for each request, and for each registration. */
  readonly count: (event: ExchangeEvent) => void
  /** Somebody asks for the peers of a network; of all, without one. The answer waits for it. */
  readonly onDiscover?: (network: string | undefined) => Promise<void>
}

export type ExchangeEvent = 'requests' | 'answered' | 'errors' | 'registered' | 'renewed' | 'pending' | 'refused'

/** Who asks, and on which connection. */
export interface CallerConnection {
  readonly caller: Caller
  readonly connection: Connection
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

  async answer(request: Request, remote: CallerConnection): Promise<Answer | undefined> {
    switch (request.type) {
      case 'REGISTER':
        return { type: 'REGISTER_RESPONSE', ...(await this.#register(request, remote)) }
      case 'UNREGISTER':
        return await this.#unregister(request.ns, remote)
      case 'DISCOVER':
        return { type: 'DISCOVER_RESPONSE', ...(await this.#discover(request, remote)) }
    }
  }

  async #register(
    { ns, signedPeerRecord, ttl = DEFAULT_TTL_S }: Register,
    { caller }: CallerConnection,
  ): Promise<RegisterResponse> {
    const { records, forms, count } = this.#init
    if (ns === undefined) {
      return notRegistered({ status: 'E_INVALID_NAMESPACE', statusText: 'no namespace to register in' })
    }
    if (ttl < MIN_TTL_S || ttl > MAX_TTL_S) {
      return notRegistered({ status: 'E_INVALID_TTL', statusText: `a ttl is ${MIN_TTL_S} to ${MAX_TTL_S} seconds` })
    }
    const record = await readRecord(signedPeerRecord ?? new Uint8Array(0), caller.peerId)
    const outcome =
      typeof record === 'string'
        ? { status: 'refused' as const, code: record }
        : await records.register(
            caller,
            { network: ns, record, ttlMs: ttl * 1000 },
            AbortSignal.timeout(VERDICT_TIMEOUT_MS),
          )
    if (typeof record !== 'string' && record.peerId === caller.peerId) {
      forms.note(caller.peerId, record.form)
    }
    switch (outcome.status) {
      case 'listed':
        count(outcome.renewed ? 'renewed' : 'registered')
        return { status: 'OK', ttl, statusText: outcome.withheld ? WITHHELD : undefined }
      case 'pending':
        count('pending')
        return notRegistered({ status: 'E_UNAVAILABLE', statusText: PENDING })
      case 'refused':
        count('refused')
        return notRegistered(failureOf(outcome.code))
    }
  }

  /** The specification has no answer to it, and takes one for a namespace that the caller is not in for nothing. */
  async #unregister(ns: string | undefined, { caller }: CallerConnection): Promise<undefined> {
    if (ns !== undefined) {
      await this.#init.point.unregister(caller, { network: ns, addresses: [] })
    }
  }

  async #discover(
    { ns, limit, cookie }: Discover,
    { caller, connection }: CallerConnection,
  ): Promise<DiscoverResponse> {
    const { records, forms, onDiscover } = this.#init
    if (ns !== undefined && !records.serves(ns)) {
      return notDiscovered(failureOf('network_not_served'))
    }
    await onDiscover?.(ns)
    const own = ns === undefined ? undefined : records.formOf(ns, caller.peerId)
    const form = own ?? (await forms.formOf(connection)) ?? records.usualForm(ns)
    const from = this.#positionOf(cookie, ns)
    if (from === undefined) {
      return notDiscovered({ status: 'E_INVALID_COOKIE', statusText: 'no cookie of this namespace, here' })
    }
    const page = this.#page(caller, { network: ns, form, limit: Math.min(limit ?? Infinity, MAX_REGISTRATIONS) }, from)
    return {
      status: 'OK',
      statusText: undefined,
      registrations: page.registrations,
      cookie: this.#cookie(page.end, ns),
    }
  }

  #page(
    caller: Caller,
    query: { readonly network: string | undefined; readonly form: ReadableForm; readonly limit: number },
    from: Position,
  ): { readonly registrations: readonly Register[]; readonly end: Position } {
    const registrations: Register[] = []
    const reading = this.#init.records.discover(caller, query, from)
    let end = from
    let room = MAX_ANSWER_BYTES
    while (registrations.length < query.limit) {
      const next = reading.next()
      if (next.done) {
        end = next.value
        break
      }
      const registration = registrationOf(next.value)
      room -= encodedLength(registration)
      if (room < 0) {
        break
      }
      registrations.push(registration)
      end = next.value.position
    }
    return { registrations, end }
  }

  /** Where a cookie says that its holder is. One of an earlier run counts for none: nothing is known of it any more. */
  #positionOf(cookie: Uint8Array | undefined, ns: string | undefined): Position | undefined {
    const { records } = this.#init
    if (cookie === undefined || cookie.length === 0) {
      return records.start
    }
    const decoded = decodeCookie(cookie, ns)
    if (decoded === undefined) {
      return undefined
    }
    if (decoded.epoch !== this.#epoch) {
      return records.start
    }
    const { upTo, turn, version } = decoded
    const position = turn === undefined ? { upTo, turn } : { upTo, turn, version }
    return records.isPossible(position) ? position : undefined
  }

  #cookie(position: Position, ns: string | undefined): Uint8Array {
    return encodeCookie({ version: 0, ...position, epoch: this.#epoch }, ns)
  }
}

const WITHHELD =
  'registered, but the record names private addresses that do not belong to where you call from: it is handed out once you register without them'
const PENDING = 'you did not answer at any of the addresses in time; you are listed when you do, or register again'

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

function registrationOf({ network, peerId, envelope, addresses, ttlMs }: RecordEntry): Register {
  const record = envelope ?? encodePeerInfo(peerInfoOf(peerId, addresses))
  return { ns: network, signedPeerRecord: record, ttl: ttlMs / 1000 }
}

function peerInfoOf(peerId: string, addresses: readonly string[]) {
  return {
    id: peerIdFromString(peerId).toMultihash().bytes,
    addresses: addresses.map((each) => multiaddr(each).bytes),
  }
}
