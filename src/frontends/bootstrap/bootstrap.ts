// The frontend of `/bootstrap/1.0.0`.

import type { Logger } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { pipe } from 'it-pipe'
import type { Clock } from '../../base/clock.ts'
import { DEFAULT_LIMIT, MAX_REQUESTS } from '../../peer/limits.ts'
import type { AddressOutcome, LegacyApi, PointApi } from '../../point/point-api.ts'
import { refusal } from '../../policy/refusal.ts'
import { type Line, readLines } from '../../streams/line-reader.ts'
import { writeLines } from '../../streams/line-writer.ts'
import {
  ASK,
  BOOTSTRAP_PROTOCOL,
  type BootstrapRequest,
  decodeRequest,
  encodeFault,
  type Fault,
  isFault,
  MAX_LINE_BYTES,
} from '../../wire/bootstrap-codec.ts'
import { type Exchange, VERDICT_TIMEOUT_MS } from '../exchanges/exchange.ts'
import { type ExchangeGroup, type Exchanges, type Frontend, MAX_STREAMS } from '../exchanges/exchanges.ts'
import { AnswerDraft } from './bootstrap-answer.ts'

/** When a caller should try again after the store took nothing, s. */
export const STORE_RETRY_S = 30

export interface BootstrapFrontendInit {
  readonly registrar: Pick<Registrar, 'handle' | 'unhandle'>
  readonly exchanges: Exchanges
  readonly point: PointApi
  /** The peers of the original program's wire, for requests that ask for them. */
  readonly legacy: Pick<LegacyApi, 'discover'>
  /** Other bootstraps of this operator, for requests that ask for an explanation. */
  readonly siblings: readonly string[]
  /** The time that `expiresIn` counts from, ms since the epoch. */
  readonly clock: Clock
  readonly log: Logger
}

/** An answer, before it is written. After the last one nothing more is read. */
interface LineAnswer {
  readonly line: string
  readonly isLast: boolean
}

/** `/bootstrap/1.0.0`: lines in, answers out, in order. */
export class BootstrapFrontend implements Frontend {
  readonly #init: BootstrapFrontendInit
  #group: ExchangeGroup | undefined

  constructor(init: BootstrapFrontendInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    const group = this.#init.exchanges.open(this.#init.log)
    this.#group = group
    await this.#init.registrar.handle(
      BOOTSTRAP_PROTOCOL,
      (stream, connection) => group.run(stream, connection, (exchange) => this.#serve(exchange)),
      { maxInboundStreams: MAX_STREAMS },
    )
  }

  async stop(graceMs: number): Promise<void> {
    await this.#init.registrar.unhandle(BOOTSTRAP_PROTOCOL)
    await this.#group?.stop(graceMs)
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { stream, signal, readTimeout } = exchange
    const limits = { maxLineBytes: MAX_LINE_BYTES, maxLines: MAX_REQUESTS, timeout: readTimeout }
    await pipe(
      readLines(stream, limits, signal),
      (lines) => decodeLines(lines, readTimeout),
      (requests) => this.#answers(requests, exchange),
      writeLines(stream, exchange.writing, signal),
    )
  }

  /** An answer to each request, up to the first fault. No generator: it would keep each answer until the next is due. */
  #answers(requests: AsyncGenerator<BootstrapRequest | Fault>, exchange: Exchange): AsyncIterable<string> {
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
      const { line, isLast } = await this.#answer(value, exchange)
      isOver = isLast
      return { done: false, value: line }
    }
    return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
  }

  async #answer(request: BootstrapRequest | Fault, exchange: Exchange): Promise<LineAnswer> {
    if (isFault(request)) {
      exchange.unreadable()
      return lastAnswer(request)
    }
    return await exchange.answer<LineAnswer>({
      serve: () => this.#serveRequest(request, exchange),
      late: (retryAfterMs) => {
        const retryAfter = retryAfterMs / 1000
        return lastAnswer({
          code: 'rate_limited',
          message: `too many requests; ask again in ${retryAfter} s`,
          retryAfter,
        })
      },
      failed: () => lastAnswer({ code: 'internal', message: 'the bootstrap could not answer; its log says why' }),
    })
  }

  async #serveRequest(request: BootstrapRequest, exchange: Exchange): Promise<{ answer: LineAnswer; ok: boolean }> {
    const outcomes = await this.#register(request, exchange)
    for (const outcome of outcomes) {
      exchange.count(outcome.status === 'listed' ? (outcome.renewed ? 'renewed' : 'registered') : outcome.status)
    }
    const fault = outcomes.some(isUnavailable) ? STORE_UNAVAILABLE : undefined
    const line = await this.#list(request, exchange, { outcomes, fault })
    return { answer: { line, isLast: false }, ok: fault === undefined }
  }

  async #register(
    { network, addresses, ttlMs }: BootstrapRequest,
    { caller }: Exchange,
  ): Promise<readonly AddressOutcome[]> {
    const { point } = this.#init
    if (ttlMs === 0) {
      return await point.unregister(caller, { network, addresses })
    }
    if (addresses.length === 0) {
      return []
    }
    return await point.register(caller, { network, addresses, ttlMs }, AbortSignal.timeout(VERDICT_TIMEOUT_MS))
  }

  /** The line with as many peers as fit. */
  async #list(
    { network, limit: asked, explain, legacy }: BootstrapRequest,
    { caller, isCrowded }: Exchange,
    result: { readonly outcomes: readonly AddressOutcome[]; readonly fault: Fault | undefined },
  ): Promise<string> {
    // Long answers only while the budget has room. One of default length fits into the window of any stream.
    const isLong = asked !== undefined && asked > DEFAULT_LIMIT
    const limit = isLong && isCrowded ? undefined : asked
    const { point, clock, siblings } = this.#init
    const { observed } = caller
    const draft = new AnswerDraft({ explain, limit }, { ...result, observed, siblings, now: clock() })
    const most = limit ?? DEFAULT_LIMIT
    draft.addPeers(await point.discover(caller, { network, limit: most, maxBytes: draft.room }))
    // The original program's wire has no networks, so its peers are in the one without a name.
    if (legacy && network === '' && draft.size < most && draft.room > 0) {
      draft.addLegacy(await this.#init.legacy.discover(caller, most - draft.size))
    }
    return draft.toString()
  }
}

const STORE_UNAVAILABLE: Fault = { ...refusal('unavailable'), code: 'unavailable', retryAfter: STORE_RETRY_S }

function isUnavailable(outcome: AddressOutcome): boolean {
  return outcome.status === 'refused' && outcome.refusal.code === 'unavailable'
}

function lastAnswer(fault: Fault): LineAnswer {
  return { line: encodeFault(fault), isLast: true }
}

/** Lines to requests. A stream without a line is a request; after a fault nothing more is read. */
async function* decodeLines(lines: AsyncIterable<Line>, timeout: number): AsyncGenerator<BootstrapRequest | Fault> {
  let silent = true
  for await (const line of lines) {
    silent = false
    const request =
      typeof line === 'string' ? { code: line, message: faultMessage(line, timeout) } : decodeRequest(line)
    yield request
    if (isFault(request)) {
      return
    }
  }
  if (silent) {
    yield ASK
  }
}

function faultMessage(fault: Exclude<Line, Uint8Array>, timeout: number): string {
  switch (fault) {
    case 'line_too_long':
      return `a line has at most ${MAX_LINE_BYTES} bytes`
    case 'too_many_lines':
      return `a stream has at most ${MAX_REQUESTS} requests; open another one`
    case 'timeout':
      return `a line has to arrive within ${timeout / 1000} s; end it with \\n or close your side of the stream`
  }
}
