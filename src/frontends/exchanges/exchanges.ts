import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, Logger, Stream } from '@libp2p/interface'
import type { Clock } from '../../base/clock.ts'
import { type Caller, callerAt } from '../../peer/caller.ts'
import type { RequestLimits, Turn } from '../../policy/request-limits.ts'
import { lingerAtMost } from '../../streams/linger.ts'
import { UnreadAnswers } from '../../streams/unread-answers.ts'
import { Exchange, type ExchangeEvent } from './exchange.ts'

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
/** Exchanges at a time, over all connections and all frontends; the limits of libp2p are by connection only. */
export const MAX_EXCHANGES = 4096

export interface ExchangesInit {
  readonly limits: RequestLimits
  readonly clock: Clock
  /** Resolves when the event loop has time for another answer; at once where that protection is off. */
  readonly takeShare: () => Promise<void>
  readonly count: (event: ExchangeEvent) => void
  /** Called once for each stream and each legacy connection. */
  readonly onCaller: (caller: Caller) => void
}

/** What all frontends serve now. */
export interface ExchangesStatus {
  /** Exchanges under way: streams, and connections of the original program's wire. */
  readonly open: number
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
  #size = 0

  constructor(init: ExchangesInit) {
    this.#init = init
  }

  get status(): ExchangesStatus {
    return { open: this.#size, unreadBytes: this.#unread.bytes }
  }

  /** The exchanges of one frontend from its start to its stop. They share everything else with the others. */
  open(log: Logger): ExchangeGroup {
    return new ExchangeGroup(this.#init, this.#unread, { enter: () => this.#enter(), log })
  }

  /** Takes a place; undefined when there is none. The returned function gives it back; it is to be called once. */
  #enter(): (() => void) | undefined {
    if (this.#size >= MAX_EXCHANGES) {
      return undefined
    }
    this.#size++
    return () => {
      this.#size--
    }
  }
}

/** The exchanges of one frontend. */
export class ExchangeGroup {
  readonly #init: ExchangesInit
  readonly #unread: UnreadAnswers
  readonly #enter: () => (() => void) | undefined
  readonly #log: Logger
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(
    init: ExchangesInit,
    unread: UnreadAnswers,
    { enter, log }: { readonly enter: () => (() => void) | undefined; readonly log: Logger },
  ) {
    this.#init = init
    this.#unread = unread
    this.#enter = enter
    this.#log = log
  }

  /** Fires when the grace of a stop is over. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /**
   * Serves one stream. `serve` reads, answers and closes our side; the far side then has {@link LINGER_MS} to close its
   * own. A libp2p stream handler: it rejects when there is no room, when the caller has no IP, and when the stream
   * breaks, and libp2p resets the stream then.
   */
  async run(stream: Stream, connection: Connection, serve: (exchange: Exchange) => Promise<void>): Promise<void> {
    const caller = callerAt(connection.remotePeer.toString(), connection.remoteAddr.toString())
    if (caller === undefined) {
      throw new Error('the caller has no IP address')
    }
    const { takeShare, count } = this.#init
    const running = this.admit(caller, async () => {
      await serve(
        new Exchange({
          caller,
          connection,
          stream,
          signal: this.signal,
          next: () => this.next(caller),
          takeShare,
          count,
          unread: this.#unread,
          log: this.#log,
        }),
      )
      lingerAtMost(stream, LINGER_MS)
    })
    if (running === undefined) {
      throw new Error('too many exchanges at a time')
    }
    await running
  }

  /** Takes a place for as long as `serve` runs; undefined when there is none. What is no stream uses it as it is. */
  admit(caller: Caller, serve: () => Promise<void>): Promise<void> | undefined {
    const leave = this.#stopping.signal.aborted ? undefined : this.#enter()
    if (leave === undefined) {
      return undefined
    }
    this.#init.onCaller(caller)
    const running = serve().finally(() => {
      this.#running.delete(running)
      leave()
    })
    this.#running.add(running)
    return running
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
