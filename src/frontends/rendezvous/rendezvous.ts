import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, Logger, Stream } from '@libp2p/interface'
import { type Caller, callerAt } from '../../peer/caller.ts'
import type { RequestLimits } from '../../policy/request-limits.ts'
import { lingerAtMost } from '../../streams/linger.ts'
import { writeMessage } from '../../streams/message-writer.ts'
import { type Frame, readMessages } from '../../streams/messages.ts'
import { decodeMessage, encodeMessage, isMessageFault, typeOf } from '../../wire/rendezvous-codec.ts'
import { MAX_REQUEST_BYTES, type MessageFault, type RendezvousMessage } from '../../wire/rendezvous-messages.ts'
import { type Asker, type ExchangeEvent, RendezvousAnswers, type RendezvousAnswersInit } from './rendezvous-answers.ts'
import { faultOf } from './rendezvous-status.ts'

/** How long a message may take to arrive, ms. */
export const MESSAGE_TIMEOUT_MS = 5000
/** How long the far side may take to read an answer, ms. */
export const WRITE_TIMEOUT_MS = 5000
/** How long a stream that we are done with may stay half open, ms. */
export const LINGER_MS = 5000
/** Requests of one stream. Most clients open one for each. */
export const MAX_REQUESTS = 16
/** Exchanges at the same time, over all connections; the limits of libp2p are by connection only. */
export const MAX_EXCHANGES = 4096

export interface RendezvousFrontendInit extends RendezvousAnswersInit {
  readonly limits: RequestLimits
  readonly log: Logger
  /** Told once for each stream. */
  readonly onCaller?: (caller: Caller) => void
}

/** `/rendezvous/1.0.0` of libp2p/specs: messages in, answers out, in order. What is refused gets a status, not a reset. */
export class RendezvousFrontend {
  readonly #init: RendezvousFrontendInit
  readonly #answers: RendezvousAnswers
  readonly #exchanges = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(init: RendezvousFrontendInit) {
    this.#init = init
    this.#answers = new RendezvousAnswers(init)
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
    this.#stopping.abort(new Error('the rendezvous point stops'))
    await finished
  }

  async #exchange(stream: Stream, connection: Connection): Promise<void> {
    const caller = callerAt(connection.remotePeer.toString(), connection.remoteAddr.toString())
    if (caller === undefined || this.#exchanges.size >= MAX_EXCHANGES) {
      throw new Error(caller === undefined ? 'the caller has no IP address' : 'too many exchanges at a time')
    }
    this.#init.onCaller?.(caller)
    const { signal } = this.#stopping
    const limits = { maxBytes: MAX_REQUEST_BYTES, timeout: MESSAGE_TIMEOUT_MS }
    let left = MAX_REQUESTS
    for await (const frame of readMessages(stream, limits, signal)) {
      const answer = await this.#answer(frame, { caller, connection })
      if (answer !== undefined) {
        await writeMessage(stream, encodeMessage(answer), WRITE_TIMEOUT_MS, signal)
      }
      if (--left === 0) {
        break
      }
    }
    await stream.close({ signal: AbortSignal.any([signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]) })
    lingerAtMost(stream, LINGER_MS)
  }

  /** Undefined for what has no answer: UNREGISTER, and what is no request. */
  async #answer(frame: Frame, asker: Asker): Promise<RendezvousMessage | undefined> {
    const request = readFrame(frame)
    this.#count('requests')
    if (isMessageFault(request)) {
      this.#count('errors')
      return request.type === 'REGISTER' || request.type === 'DISCOVER'
        ? failed(request.type, faultOf(request.fault, request.type))
        : undefined
    }
    const { type } = request
    if (type === 'REGISTER_RESPONSE' || type === 'DISCOVER_RESPONSE') {
      this.#count('errors')
      return undefined
    }
    const late = await this.#waitForTurn(asker.caller)
    if (late !== undefined) {
      this.#count('errors')
      return type === 'UNREGISTER' ? undefined : failed(type, { status: 'E_UNAVAILABLE', statusText: late })
    }
    try {
      const answer = await this.#answers.answer(request, asker)
      this.#count(answer !== undefined && answer.status !== 'OK' ? 'errors' : 'answered')
      return answer
    } catch (err) {
      this.#init.log.error('a request of the rendezvous protocol failed - %e', err)
      this.#count('errors')
      const statusText = 'the rendezvous point could not answer; it has written down why'
      return type === 'UNREGISTER' ? undefined : failed(type, { status: 'E_INTERNAL_ERROR', statusText })
    }
  }

  /** Waits for the caller's turn; in words, when that is too far away. */
  async #waitForTurn(caller: Caller): Promise<string | undefined> {
    const turn = this.#init.limits.next(caller, this.#init.clock())
    if ('retryAfter' in turn) {
      return `too many requests; ask again in ${turn.retryAfter} s`
    }
    if (turn.wait > 0) {
      await delay(turn.wait, undefined, { ref: false, signal: this.#stopping.signal })
    }
    return undefined
  }

  #count(event: ExchangeEvent): void {
    this.#init.count(event)
  }
}

function readFrame(frame: Frame): RendezvousMessage | MessageFault {
  return 'tooLong' in frame ? { fault: 'message_too_long', type: typeOf(frame.tooLong) } : decodeMessage(frame)
}

function failed(type: 'REGISTER' | 'DISCOVER', failure: ReturnType<typeof faultOf>): RendezvousMessage {
  return type === 'REGISTER'
    ? { type: 'REGISTER_RESPONSE', ...failure, ttl: undefined }
    : { type: 'DISCOVER_RESPONSE', ...failure, registrations: [], cookie: undefined }
}
