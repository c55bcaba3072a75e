import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, Logger, Stream } from '@libp2p/interface'
import { pipe } from 'it-pipe'
import type { Clock } from '../../base/clock.ts'
import { type Caller, callerAt } from '../../peer/caller.ts'
import type { LegacyPeers } from '../../point/legacy-peers.ts'
import type { AddressOutcome } from '../../point/point-api.ts'
import type { RendezvousPoint } from '../../point/rendezvous-point.ts'
import { refusal } from '../../policy/refusal.ts'
import type { RequestLimits } from '../../policy/request-limits.ts'
import { type Line, readLines } from '../../streams/line-reader.ts'
import { writeLines } from '../../streams/line-writer.ts'
import { lingerAtMost } from '../../streams/linger.ts'
import { UnreadAnswers } from '../../streams/unread-answers.ts'
import {
  ASK,
  type BootstrapRequest,
  DEFAULT_LIMIT,
  decodeRequest,
  encodeFault,
  type Fault,
  isFault,
  MAX_LINE_BYTES,
  MAX_LINES,
} from '../../wire/bootstrap-codec.ts'
import { answerTo } from './bootstrap-answer.ts'

/** How long a line may take to arrive, ms. */
export const LINE_TIMEOUT_MS = 5000
/** How long the verdicts of a registration may take, ms: what is undecided then is `pending`. */
export const VERDICT_TIMEOUT_MS = 5000
/** How long the far side may take to read an answer, ms. */
export const WRITE_TIMEOUT_MS = 5000
/** How long a stream that we are done with may stay half open, ms. */
export const LINGER_MS = 5000
/** When to try again what the store did not take, s. */
export const STORE_RETRY_S = 30
/** Streams of one connection at the same time; libp2p resets the others. */
export const MAX_STREAMS = 8
/** Exchanges at the same time, over all connections; the limits of libp2p are by connection only. */
export const MAX_EXCHANGES = 4096

export interface BootstrapFrontendInit {
  readonly point: RendezvousPoint
  readonly limits: RequestLimits
  readonly clock: Clock
  readonly log: Logger
  /** Other bootstraps of this operator, told to whoever asks for an explanation. */
  readonly siblings?: readonly string[]
  /** Those who registered by the wire of the original, told to whoever asks for them. */
  readonly legacy?: LegacyPeers
  /** Told once for each line answered, and for each address of it. */
  readonly count: (event: ExchangeEvent) => void
  /** Waits for a share of the event loop: many long answers at once are not to hold up everybody else. */
  readonly share?: () => Promise<void>
  /** Told once for each stream. */
  readonly onCaller?: (caller: Caller) => void
}

export type ExchangeEvent = 'requests' | 'answered' | 'errors' | 'registered' | 'renewed' | 'pending' | 'refused'

/** `/bootstrap/1.0.0`: lines in, answers out, in order. */
export class BootstrapFrontend {
  readonly #init: BootstrapFrontendInit
  readonly #exchanges = new Set<Promise<void>>()
  readonly #unread = new UnreadAnswers()
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
    if (caller === undefined || this.#exchanges.size >= MAX_EXCHANGES) {
      throw new Error(caller === undefined ? 'the caller has no IP address' : 'too many exchanges at a time')
    }
    this.#init.onCaller?.(caller)
    const { signal } = this.#stopping
    await pipe(
      readLines(stream, { maxLineBytes: MAX_LINE_BYTES, maxLines: MAX_LINES, timeout: LINE_TIMEOUT_MS }, signal),
      decodeLines,
      (requests) => this.#answers(requests, caller),
      writeLines(
        stream,
        {
          timeout: WRITE_TIMEOUT_MS,
          onWait: (bytes) => this.#unread.wait(stream, bytes),
          onWaitOver: () => this.#unread.end(stream),
        },
        signal,
      ),
    )
    lingerAtMost(stream, LINGER_MS)
  }

  /** An answer to each request, up to the first fault. No generator: it would keep each answer until the next is due. */
  #answers(requests: AsyncGenerator<BootstrapRequest | Fault>, caller: Caller): AsyncIterable<string> {
    const end = async () => {
      await requests.return(undefined)
      return { done: true, value: undefined } as const
    }
    let isOver = false
    const next = async (): Promise<IteratorResult<string>> => {
      const { done, value } = isOver ? await end() : await requests.next()
      if (done) {
        return await end()
      }
      const answer = await this.#answer(value, caller)
      isOver = answer.isLast
      return { done: false, value: answer.line }
    }
    return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
  }

  async #answer(request: BootstrapRequest | Fault, caller: Caller): Promise<{ line: string; isLast: boolean }> {
    const { count, log } = this.#init
    count('requests')
    const fault = isFault(request) ? request : await this.#waitForTurn(caller)
    if (isFault(request) || fault !== undefined) {
      count('errors')
      return { line: encodeFault(fault!), isLast: true }
    }
    await this.#init.share?.()
    try {
      const line = await this.#serve(request, caller)
      count('answered')
      return { line, isLast: false }
    } catch (err) {
      log.error('an exchange failed - %e', err)
      count('errors')
      const message = 'the bootstrap could not answer; it has written down why'
      return { line: encodeFault({ code: 'internal', message }), isLast: true }
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
    const outcomes = await this.#register(request, caller)
    let fault: Fault | undefined
    if (outcomes.some((each) => each.status === 'refused' && each.refusal.code === 'unavailable')) {
      fault = { ...refusal('unavailable'), code: 'unavailable', retryAfter: STORE_RETRY_S }
      this.#init.count('errors')
    }
    this.#countOutcomes(outcomes)
    // Long answers are for when others are read. One of default length fits into the window of any stream.
    const isLong = request.limit !== undefined && request.limit > DEFAULT_LIMIT
    const asked = isLong && this.#unread.isCrowded ? { ...request, limit: undefined } : request
    return answerTo(asked, caller, { outcomes, fault }, this.#init)
  }

  #countOutcomes(outcomes: readonly AddressOutcome[]): void {
    for (const each of outcomes) {
      if (each.status === 'listed') {
        this.#init.count(each.renewed ? 'renewed' : 'registered')
      } else if (each.status !== 'removed') {
        this.#init.count(each.status)
      }
    }
  }

  async #register(request: BootstrapRequest, caller: Caller): Promise<readonly AddressOutcome[]> {
    const { point } = this.#init
    if (request.ttl === 0) {
      return await point.unregister(caller, request)
    }
    if (request.addresses.length === 0) {
      return []
    }
    const { network, addresses, ttl } = request
    return await point.register(
      caller,
      { network, addresses, ttlMs: ttl * 1000 },
      AbortSignal.timeout(VERDICT_TIMEOUT_MS),
    )
  }
}

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
