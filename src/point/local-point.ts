// `PointApi` over the use cases in this process.

import { beforeAbort } from '../base/before-abort.ts'
import { isDialablePort } from '../peer/address.ts'
import type { Caller } from '../peer/caller.ts'
import { samePeer } from '../peer/peer-id.ts'
import { targetOf } from '../peer/target.ts'
import { refusal } from '../policy/refusal.ts'
import {
  type AddressOutcome,
  type AnswerPeer,
  type CallerProof,
  type DiscoverQuery,
  LEARNED_TTL_MS,
  type LearnRequest,
  type PagePosition,
  type PointApi,
  type RecordEntry,
  type RecordForms,
  type RecordOutcome,
  type RecordPage,
  type RecordPageRefusal,
  type RecordQuery,
  type RecordRequest,
  type RegisterRequest,
  type UnregisterRequest,
} from './point-api.ts'
import type { Prover } from './prover.ts'
import type { RecordLearner } from './record-learner.ts'
import type { RendezvousPoint } from './rendezvous-point.ts'
import type { SignedRecords } from './signed-records.ts'

export interface LocalPointInit {
  readonly point: RendezvousPoint
  readonly records: SignedRecords
  /** Undefined where the rendezvous protocol is not served. */
  readonly learner: Pick<RecordLearner, 'onDiscover'> | undefined
  readonly prover: Pick<Prover, 'identify'>
}

/** The point of this process as its frontends see it: the use cases behind one interface. */
export class LocalPoint implements PointApi {
  readonly #init: LocalPointInit

  constructor(init: LocalPointInit) {
    this.#init = init
  }

  register(caller: Caller, request: RegisterRequest, signal: AbortSignal): Promise<readonly AddressOutcome[]> {
    return this.#init.point.register(caller, request, signal)
  }

  unregister(caller: Caller, request: UnregisterRequest): Promise<readonly AddressOutcome[]> {
    return this.#init.point.unregister(caller, request)
  }

  async discover(caller: Caller, { network, limit, maxBytes }: DiscoverQuery): Promise<readonly AnswerPeer[]> {
    const peers: AnswerPeer[] = []
    let bytes = 0
    for (const registrations of this.#init.point.listing.for(caller).addresses({ network, limit })) {
      const { id } = registrations[0]!.peer
      const addresses = registrations.map(({ address }) => address)
      peers.push({ id, addresses, verified: registrations.every(({ health }) => health === 'reachable') })
      bytes += addresses.reduce((sum, address) => sum + address.length + P2P_BYTES + id.length, 0)
      if (bytes >= maxBytes) {
        break
      }
    }
    return peers
  }

  registerRecord(caller: Caller, request: RecordRequest, signal: AbortSignal): Promise<RecordOutcome> {
    return this.#init.records.register(caller, request, signal)
  }

  async recordForms(caller: Caller, network: string | undefined): Promise<RecordForms> {
    const { records } = this.#init
    const own = network === undefined ? undefined : records.formOf(network, caller.peerId)
    return { own, usual: records.usualForm(network) }
  }

  async discoverRecords(caller: Caller, query: RecordQuery): Promise<RecordPage | RecordPageRefusal> {
    const { records, learner } = this.#init
    const { network, form, limit, maxBytes } = query
    if (network !== undefined && !records.serves(network)) {
      return { refused: 'network_not_served' }
    }
    await learner?.onDiscover(network)
    const from: PagePosition = query.from ?? records.start({ network, form })
    if (!records.isPossible(from)) {
      return { refused: 'position_impossible' }
    }
    const entries: RecordEntry[] = []
    let walked = 0
    const reading = records.discover(caller, { network, form }, from, () => walked++)
    let end = from
    let bytes = 0
    while (entries.length < limit && bytes < maxBytes) {
      const { value, done } = reading.next()
      if (done) {
        return { entries, end: value, walked }
      }
      entries.push(value)
      bytes += value.envelope?.length ?? value.addresses.reduce((sum, { length }) => sum + length, 0)
      end = value.position
    }
    return { entries, end, walked }
  }

  async learn(caller: Caller, { network, addresses }: LearnRequest): Promise<void> {
    await this.#init.point.learn(
      caller,
      { network, addresses, ttlMs: LEARNED_TTL_MS },
      AbortSignal.timeout(LEARN_TIMEOUT_MS),
    )
  }

  async proveCaller(caller: Caller, text: string, signal: AbortSignal): Promise<CallerProof> {
    const target = targetOf(text, caller)
    if (typeof target === 'string') {
      return { ok: false, refusal: refusal(target) }
    }
    if (target.ip.text !== caller.ip.text) {
      return { ok: false, refusal: refusal('ip_mismatch') }
    }
    if (!isDialablePort(target.port)) {
      return { ok: false, refusal: refusal('port_not_allowed') }
    }
    const answer = await beforeAbort(this.#init.prover.identify(target.text), signal)
    if (answer === undefined) {
      return { ok: false, refusal: refusal('dial_timeout') }
    }
    if ('fault' in answer) {
      return { ok: false, refusal: refusal(answer.fault) }
    }
    return samePeer(answer.peerId, caller.peerId) ? { ok: true } : { ok: false, refusal: refusal('dial_wrong_peer') }
  }
}

/** `/p2p/` */
const P2P_BYTES = 5
const LEARN_TIMEOUT_MS = 5000
