import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, Logger, Stream } from '@libp2p/interface'
import { pipe } from 'it-pipe'
import type { Clock } from '../clock.ts'
import { type Caller, callerAt } from '../policy/caller.ts'
import type { RequestLimits } from '../policy/request-limits.ts'
import type { Outcome, RendezvousPoint } from '../rendezvous-point.ts'
import { StoreUnavailableError } from '../store/store.ts'
import {
  ASK,
  type BootstrapRequest,
  DEFAULT_ANSWER_BYTES,
  DEFAULT_LIMIT,
  decodeRequest,
  type Explanation,
  encodedLength,
  encodeExplained,
  encodeFault,
  encodePeers,
  type Fault,
  isFault,
  MAX_ANSWER_BYTES,
  MAX_LINE_BYTES,
  MAX_LINES,
  type PeerRecord,
  type Verdict,
} from '../wire/bootstrap-codec.ts'
import { type Line, readLines } from '../wire/line-reader.ts'
import { writeLines } from '../wire/line-writer.ts'

/** How long a line may take to arrive, ms. */
export const LINE_TIMEOUT_MS = 5000
/** How long the verdicts of a registration may take, ms: what is undecided then is `pending`. */
export const VERDICT_TIMEOUT_MS = 5000
/** How long the far side may take to read an answer, ms. */
export const WRITE_TIMEOUT_MS = 5000
/** How long a stream that we are done with may stay half open, ms. */
export const LINGER_MS = 5000
/** Exchanges at the same time, over all connections; the limits of libp2p are by connection only. */
export const MAX_EXCHANGES = 4096

export interface BootstrapFrontendInit {
  readonly point: RendezvousPoint
  readonly limits: RequestLimits
  readonly clock: Clock
  readonly log: Logger
  /** Told once for each line answered, and for each address of it. */
  readonly count: (event: ExchangeEvent) => void
  /** Told once for each stream. */
  readonly onCaller?: (caller: Caller) => void
}

export type ExchangeEvent = 'requests' | 'answered' | 'errors' | 'registered' | 'renewed' | 'pending' | 'refused'

/** `/bootstrap/1.0.0`: lines in, answers out, in order. */
export class BootstrapFrontend {
  readonly #init: BootstrapFrontendInit
  readonly #exchanges = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(init: BootstrapFrontendInit) {
    this.#init = init
  }

  /** A libp2p stream handler. Rejects when the stream breaks; libp2p resets it then. */
  readonly handle = (stream: Stream, connection: Connection): Promise<void> => {
    const exchange = this.#exchange(stream, connection).finally(() => this.#exchanges.delete(exchange))
    this.#exchanges.add(exchange)
    return exchange
  }

  /** Lets what is being answered finish, for `grace` ms at most, then ends what is left. */
  async stop(grace: number): Promise<void> {
    const finished = Promise.allSettled(this.#exchanges)
    await Promise.race([finished, delay(grace, undefined, { ref: false })])
    this.#stopping.abort(new Error('the bootstrap stops'))
    await finished
  }

  async #exchange(stream: Stream, connection: Connection): Promise<void> {
    const caller = callerAt(connection.remotePeer.toString(), connection.remoteAddr.toString())
    if (caller === undefined || this.#exchanges.size > MAX_EXCHANGES) {
      throw new Error(caller === undefined ? 'the caller has no IP address' : 'too many exchanges at a time')
    }
    this.#init.onCaller?.(caller)
    const { signal } = this.#stopping
    await pipe(
      readLines(stream, { maxLineBytes: MAX_LINE_BYTES, maxLines: MAX_LINES, timeout: LINE_TIMEOUT_MS }, signal),
      decodeLines,
      (requests) => this.#answer(requests, caller),
      writeLines(stream, { timeout: WRITE_TIMEOUT_MS }, signal),
    )
    lingerAtMost(stream, LINGER_MS)
  }

  async *#answer(requests: AsyncIterable<BootstrapRequest | Fault>, caller: Caller): AsyncGenerator<string> {
    const { count, log } = this.#init
    for await (const request of requests) {
      count('requests')
      const fault = isFault(request) ? request : await this.#waitForTurn(caller)
      if (fault !== undefined) {
        count('errors')
        yield encodeFault(fault)
        return
      }
      try {
        yield await this.#serve(request as BootstrapRequest, caller)
        count('answered')
      } catch (err) {
        log.error('an exchange failed - %e', err)
        count('errors')
        yield encodeFault({ code: 'internal', message: 'the bootstrap could not answer; it has written down why' })
        return
      }
    }
  }

  /** Waits for the caller's turn; a fault when that is too far away. */
  async #waitForTurn(caller: Caller): Promise<Fault | undefined> {
    const turn = this.#init.limits.next(caller, this.#init.clock())
    if ('retryAfter' in turn) {
      const { retryAfter } = turn
      return { code: 'rate_limited', message: `too many requests; ask again in ${retryAfter} s`, retryAfter }
    }
    if (turn.wait > 0) {
      await delay(turn.wait, undefined, { ref: false, signal: this.#stopping.signal })
    }
    return undefined
  }

  async #serve(request: BootstrapRequest, caller: Caller): Promise<string> {
    let outcomes: readonly Outcome[] = []
    let fault: Fault | undefined
    try {
      outcomes = await this.#register(request, caller)
    } catch (err) {
      if (!(err instanceof StoreUnavailableError)) {
        throw err
      }
      fault = { code: 'unavailable', message: 'the registration could not be stored; try again later', retryAfter: 30 }
      this.#init.count('errors')
    }
    for (const { status, renewed } of outcomes) {
      this.#init.count(status === 'listed' ? (renewed ? 'renewed' : 'registered') : status)
    }
    const peers = this.#peersFor(request, caller)
    if (!request.explain) {
      return fault === undefined ? encodePeers(peers) : encodeFault(fault, peers)
    }
    const registrations = outcomes.map((outcome) => verdictOf(outcome, this.#init.clock()))
    const explanation: Explanation = { observed: caller.observed, registrations }
    return encodeExplained(peers, explanation, fault)
  }

  async #register(request: BootstrapRequest, caller: Caller): Promise<readonly Outcome[]> {
    const { point } = this.#init
    if (request.ttl === 0) {
      return await point.unregister(caller, request)
    }
    if (request.addresses.length === 0) {
      return []
    }
    return await point.register(caller, request, AbortSignal.timeout(VERDICT_TIMEOUT_MS))
  }

  /** The records of an answer, as many as fit. */
  #peersFor({ network, limit }: BootstrapRequest, caller: Caller): PeerRecord[] {
    const { point } = this.#init
    let room = limit === undefined ? DEFAULT_ANSWER_BYTES : MAX_ANSWER_BYTES
    const records: PeerRecord[] = []
    for (const peer of point.discover(caller, { network, limit: limit ?? DEFAULT_LIMIT })) {
      const registrations = point.addressesFor(caller, peer)
      if (registrations.length === 0) {
        continue
      }
      const record: PeerRecord = {
        addresses: registrations.map(({ address }) => `${address}/p2p/${peer.id}`),
        ...(registrations.every(({ health }) => health === 'reachable') ? {} : { unverified: true }),
      }
      room -= encodedLength(record)
      if (room < ANSWER_FRAME_BYTES) {
        break
      }
      records.push(record)
    }
    return records
  }
}

/** What an answer holds beside its peers: at most 8 verdicts with their addresses and messages. */
const ANSWER_FRAME_BYTES = 8 * 1024

/** Bytes to requests. A stream without a line asks; after a fault nothing more is read. */
async function* decodeLines(lines: AsyncIterable<Line>): AsyncGenerator<BootstrapRequest | Fault> {
  let silent = true
  for await (const line of lines) {
    silent = false
    const request = typeof line === 'string' ? { code: line, message: FAULTS[line] } : decodeRequest(line)
    yield request
    if (isFault(request)) {
      return
    }
  }
  if (silent) {
    yield ASK
  }
}

const FAULTS: Readonly<Record<Exclude<Line, Uint8Array>, string>> = {
  line_too_long: `a line has at most ${MAX_LINE_BYTES} bytes`,
  too_many_lines: `a stream has at most ${MAX_LINES} requests; open another one`,
  timeout: `a line has to arrive within ${LINE_TIMEOUT_MS / 1000} s; end it with \\n or close your side of the stream`,
}

function verdictOf(outcome: Outcome, now: number): Verdict {
  const { requested, address, status, refusal, expiresAt } = outcome
  return {
    address: address ?? requested,
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

/** libp2p keeps a stream until both sides have closed it; a peer that never does would keep it for the connection's life. */
function lingerAtMost(stream: Stream, ms: number): void {
  if (stream.status !== 'open') {
    return
  }
  const timer = setTimeout(() => stream.abort(new Error('the peer did not close its side')), ms)
  timer.unref()
  stream.addEventListener('close', () => clearTimeout(timer), { once: true })
}
