// The exchanges of all frontends: one budget, and a start and a stop for those of each frontend.

import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, Logger, Stream } from '@libp2p/interface'
import type { Clock } from '../../base/clock.ts'
import { type Caller, callerAt } from '../../peer/caller.ts'
import type { RequestLimits, Turn } from '../../policy/request-limits.ts'
import { lingerAtMost } from '../../streams/linger.ts'
import { UnreadAnswers } from '../../streams/unread-answers.ts'
import { Exchange, type ExchangeEvent, type ExchangeInit } from './exchange.ts'
import { type Place, Places } from './places.ts'

/** One protocol's way in. The service holds a list of these. */
export interface Frontend {
  /** Begins to take requests. Rejects with the error of libp2p or of the system. */
  start(): Promise<void>
  /** Takes no more, lets what is being answered finish for `graceMs`, then ends what is left. Idempotent. */
  stop(graceMs: number): Promise<void>
}

/** How long a stream may stay half open once everything is answered, ms. */
export const LINGER_MS = 5000
/** Streams of one protocol on one connection at a time; libp2p resets the others. */
export const MAX_STREAMS = 8

export interface ExchangesInit {
  readonly limits: RequestLimits
  readonly clock: Clock
  /** Resolves when the event loop has time for an answer to a caller; at once where that protection is off. */
  readonly takeShare: (caller: Caller) => Promise<void>
  readonly count: (event: ExchangeEvent) => void
  /** Called once for each stream and each legacy connection. */
  readonly onCaller: (caller: Caller) => void
}

/** What all frontends serve now. */
export interface ExchangesStatus {
  /** Exchanges under way: streams, and connections of the original program's wire. */
  readonly open: number
  /** Of them, those whose callers have sent no request yet, or none since the last answer. */
  readonly silent: number
  /** Bytes of answers that wait for their readers. */
  readonly unreadBytes: number
}

/**
 * The life of an exchange, once for all frontends: who calls, whether there is room, when it is its turn, what may wait
 * unread, how it ends. Constructing does nothing.
 */
export class Exchanges {
  readonly #init: ExchangesInit
  readonly #unread = new UnreadAnswers()
  readonly #places = new Places()

  constructor(init: ExchangesInit) {
    this.#init = init
  }

  get status(): ExchangesStatus {
    return { open: this.#places.taken, silent: this.#places.silent, unreadBytes: this.#unread.bytes }
  }

  /** The exchanges of one frontend from its start to its stop. They share everything else with the others. */
  open(log: Logger): ExchangeGroup {
    return new ExchangeGroup(this.#init, { unread: this.#unread, places: this.#places, log })
  }
}

/** What the exchanges of a group share with those of the others, and its own log. */
interface Shared {
  readonly unread: UnreadAnswers
  readonly places: Places
  readonly log: Logger
}

/** How an exchange is served once it has a place. */
export interface Admission {
  /** Until it settles the place is taken. It tells the place when something is done for the caller. */
  readonly serve: (place: Place) => Promise<void>
  /** Ends the exchange because a newcomer needs its place; `serve` has to settle soon then. */
  readonly giveWay: () => void
}

/** The exchanges of one frontend. */
export class ExchangeGroup {
  readonly #init: ExchangesInit
  readonly #shared: Shared
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(init: ExchangesInit, shared: Shared) {
    this.#init = init
    this.#shared = shared
  }

  /** Fires when the grace of a stop is over. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /** How long a request may take to arrive now, ms. */
  get readTimeout(): number {
    return this.#shared.places.readTimeout
  }

  /**
   * Serves one stream. `serve` reads, answers and closes our side; the far side then has {@link LINGER_MS} to close its
   * own. A libp2p stream handler: it rejects when there is no room, when the caller has no IP, and when the stream
   * breaks, and libp2p resets the stream then. A stream that brings no request costs its caller a turn all the same.
   */
  async run(stream: Stream, connection: Connection, serve: (exchange: Exchange) => Promise<void>): Promise<void> {
    const caller = callerAt(connection.remotePeer.toString(), connection.remoteAddr.toString())
    if (caller === undefined) {
      throw new Error('the caller has no IP address')
    }
    const running = this.admit(caller, {
      serve: (place) => this.#serve({ caller, connection, stream, place }, serve),
      giveWay: () => stream.abort(new Error('the caller was silent, and its place is needed')),
    })
    if (running === undefined) {
      throw new Error('too many exchanges at a time')
    }
    await running
  }

  /** Takes a place for as long as `serve` runs; undefined when there is none. What is no stream uses it as it is. */
  admit(caller: Caller, { serve, giveWay }: Admission): Promise<void> | undefined {
    const { count, onCaller } = this.#init
    const place = this.#stopping.signal.aborted ? undefined : this.#enter(caller, giveWay)
    if (place === undefined) {
      count('noRoom')
      return undefined
    }
    onCaller(caller)
    const running = serve(place).finally(() => {
      this.#running.delete(running)
      place.leave()
    })
    this.#running.add(running)
    return running
  }

  #enter(caller: Caller, giveWay: () => void): Place | undefined {
    const { limits, clock, count } = this.#init
    const { places } = this.#shared
    // When places are short, a caller that would be refused a turn anyway gets none.
    if (places.isCrowded && !limits.hasTurn(caller, clock())) {
      return undefined
    }
    return places.enter(caller, () => {
      count('gaveWay')
      giveWay()
    })
  }

  async #serve(
    { caller, connection, stream, place }: Pick<ExchangeInit, 'caller' | 'connection' | 'stream' | 'place'>,
    serve: (exchange: Exchange) => Promise<void>,
  ): Promise<void> {
    const { limits, clock, takeShare, count } = this.#init
    const { unread, log } = this.#shared
    const { signal, readTimeout } = this
    const next = () => this.next(caller)
    const charge = (turns: number) => limits.charge(caller, turns, clock())
    const exchange = new Exchange({
      caller,
      connection,
      stream,
      place,
      readTimeout,
      signal,
      next,
      charge,
      takeShare,
      count,
      unread,
      log,
    })
    try {
      await serve(exchange)
    } finally {
      if (!exchange.hasAsked) {
        count('silent')
        next()
      }
    }
    lingerAtMost(stream, LINGER_MS)
  }

  /** The turn of a request, taken unless it is refused. */
  next(caller: Caller): Turn {
    return this.#init.limits.next(caller, this.#init.clock())
  }

  /** Lets what is under way finish for `graceMs` at most, then ends the rest. Resolves when nothing is left. Idempotent. */
  async stop(graceMs: number): Promise<void> {
    const finished = Promise.allSettled(this.#running)
    await Promise.race([finished, delay(graceMs, undefined, { ref: false })])
    this.#stopping.abort(new Error('the node stops'))
    await finished
  }
}
