// One exchange: one stream of one caller, its turns, its deadlines and its end.

import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, Logger, Stream } from '@libp2p/interface'
import type { Caller } from '../../peer/caller.ts'
import type { Turn } from '../../policy/request-limits.ts'
import type { WriteLimits } from '../../streams/send.ts'
import type { UnreadAnswers } from '../../streams/unread-answers.ts'
import type { Place } from './places.ts'

/** How long the dial-backs of a registration may take, ms: an address that is undecided then is `pending`. */
export const VERDICT_TIMEOUT_MS = 5000
/** How long the far side may take to read an answer, ms. */
export const WRITE_TIMEOUT_MS = 5000

/** What the service counts: requests, exchanges (`noRoom` to `silent`), addresses. */
export type ExchangeEvent =
  | 'requests'
  | 'answered'
  | 'errors'
  | 'noRoom'
  | 'gaveWay'
  | 'silent'
  | 'registered'
  | 'renewed'
  | 'pending'
  | 'refused'
  | 'removed'

/** How one request is answered. */
export interface RequestPlan<Answer> {
  /** Serves it. `ok: false` counts as an error. */
  readonly serve: () => Promise<{ readonly answer: Answer; readonly ok: boolean }>
  /** The answer to a caller that is too early; it may ask again after `retryAfterMs`. */
  readonly late: (retryAfterMs: number) => Answer
  /** The answer when `serve` threw; the error is in the log. */
  readonly failed: () => Answer
}

export interface ExchangeInit {
  readonly caller: Caller
  readonly connection: Connection
  readonly stream: Stream
  readonly place: Place
  /** How long its requests may take to arrive, ms. */
  readonly readTimeout: number
  /** Fires when the exchange has to end. */
  readonly signal: AbortSignal
  /** Takes the turn of a request, unless it is refused. */
  readonly next: () => Turn
  /** Takes turns for what a request cost beyond its own. */
  readonly charge: (turns: number) => void
  /** Resolves when the event loop has time for an answer to a caller. */
  readonly takeShare: (caller: Caller) => Promise<void>
  readonly count: (event: ExchangeEvent) => void
  readonly unread: UnreadAnswers
  readonly log: Logger
}

/** One stream of one caller, from its first request to its last answer. */
export class Exchange {
  readonly caller: Caller
  readonly connection: Connection
  readonly stream: Stream
  readonly signal: AbortSignal
  /** How long each request may take to arrive, ms, from when it is asked for. */
  readonly readTimeout: number
  /** For what writes to the stream: its deadline, and the budget of unread answers. */
  readonly writing: WriteLimits
  readonly #init: ExchangeInit
  #hasAsked = false

  constructor(init: ExchangeInit) {
    const { caller, connection, stream, signal, unread, place } = init
    this.#init = init
    this.readTimeout = init.readTimeout
    this.caller = caller
    this.connection = connection
    this.stream = stream
    this.signal = signal
    this.writing = {
      timeout: WRITE_TIMEOUT_MS,
      onWait: (bytes) => {
        place.begin()
        unread.wait(stream, bytes)
      },
      onWaitOver: () => {
        unread.end(stream)
        place.end()
      },
    }
  }

  /** Whether a request came that could be read. */
  get hasAsked(): boolean {
    return this.#hasAsked
  }

  /** Whether more than half of the budget of unread answers is taken: long answers have to be short then. */
  get isCrowded(): boolean {
    return this.#init.unread.isCrowded
  }

  /** Serves one request in its turn, within the loop's share, and counts it. Rejects only when the exchange is ended. */
  async answer<Answer>(plan: RequestPlan<Answer>): Promise<Answer> {
    const { place } = this.#init
    this.#hasAsked = true
    place.begin()
    try {
      return await this.#answer(plan)
    } finally {
      place.end()
    }
  }

  async #answer<Answer>({ serve, late, failed }: RequestPlan<Answer>): Promise<Answer> {
    const { count, next, takeShare, log } = this.#init
    count('requests')
    const turn = next()
    if ('retryAfter' in turn) {
      count('errors')
      return late(turn.retryAfter * 1000)
    }
    if (turn.wait > 0) {
      await delay(turn.wait, undefined, { ref: false, signal: this.signal })
    }
    await takeShare(this.caller)
    try {
      const { answer, ok } = await serve()
      count(ok ? 'answered' : 'errors')
      return answer
    } catch (err) {
      log.error('a request failed - %e', err)
      count('errors')
      return failed()
    }
  }

  /** Takes turns from the caller's IP and subnet for what a request cost beyond its own. */
  charge(turns: number): void {
    if (turns > 0) {
      this.#init.charge(turns)
    }
  }

  /** Counts a request that could not be read. */
  unreadable(): void {
    this.#init.count('requests')
    this.#init.count('errors')
  }

  /** Counts what became of an address. */
  count(event: ExchangeEvent): void {
    this.#init.count(event)
  }
}
