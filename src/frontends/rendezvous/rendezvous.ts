import type { Logger } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { MAX_REQUESTS } from '../../peer/limits.ts'
import { type Frame, readMessages, writeMessage } from '../../streams/messages.ts'
import { closeSent } from '../../streams/send.ts'
import { decodeMessage, encodeMessage, isMessageFault, typeOf } from '../../wire/rendezvous-codec.ts'
import {
  MAX_REQUEST_BYTES,
  type MessageFault,
  RENDEZVOUS_PROTOCOL,
  type RendezvousMessage,
} from '../../wire/rendezvous-messages.ts'
import type { Exchange } from '../exchanges/exchange.ts'
import { type ExchangeGroup, type Exchanges, type Frontend, MAX_STREAMS } from '../exchanges/exchanges.ts'
import { RendezvousAnswers, type RendezvousAnswersInit } from './rendezvous-answers.ts'
import { type Failure, faultOf } from './rendezvous-status.ts'

export interface RendezvousFrontendInit extends RendezvousAnswersInit {
  readonly registrar: Pick<Registrar, 'handle' | 'unhandle'>
  readonly exchanges: Exchanges
  readonly log: Logger
}

/** `/rendezvous/1.0.0` of libp2p/specs: messages in, answers out, in order. A refusal is a status, not a reset. */
export class RendezvousFrontend implements Frontend {
  readonly #init: RendezvousFrontendInit
  readonly #answers: RendezvousAnswers
  #group: ExchangeGroup | undefined

  constructor(init: RendezvousFrontendInit) {
    this.#init = init
    this.#answers = new RendezvousAnswers(init)
  }

  async start(): Promise<void> {
    const group = this.#init.exchanges.open(this.#init.log)
    this.#group = group
    await this.#init.registrar.handle(
      RENDEZVOUS_PROTOCOL,
      (stream, connection) => group.run(stream, connection, (exchange) => this.#serve(exchange)),
      { maxInboundStreams: MAX_STREAMS },
    )
  }

  async stop(graceMs: number): Promise<void> {
    await this.#init.registrar.unhandle(RENDEZVOUS_PROTOCOL)
    await this.#group?.stop(graceMs)
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { stream, signal, writing, readTimeout } = exchange
    const limits = { maxBytes: MAX_REQUEST_BYTES, timeout: readTimeout }
    let left = MAX_REQUESTS
    for await (const frame of readMessages(stream, limits, signal)) {
      const answer = await this.#answer(readFrame(frame), exchange)
      if (answer !== undefined) {
        await writeMessage(stream, encodeMessage(answer), writing, signal)
      }
      if (--left === 0) {
        break
      }
    }
    await closeSent(stream, writing, signal)
  }

  /** Undefined for what has no answer: UNREGISTER, and a message that is no request. */
  async #answer(request: RendezvousMessage | MessageFault, exchange: Exchange): Promise<RendezvousMessage | undefined> {
    if (isMessageFault(request)) {
      exchange.unreadable()
      return request.type === 'REGISTER' || request.type === 'DISCOVER'
        ? failed(request.type, faultOf(request.fault, request.type))
        : undefined
    }
    const { type } = request
    if (type === 'REGISTER_RESPONSE' || type === 'DISCOVER_RESPONSE') {
      exchange.unreadable()
      return undefined
    }
    return await exchange.answer<RendezvousMessage | undefined>({
      serve: () => this.#answers.answer(request, exchange),
      late: (retryAfterMs) => {
        const statusText = `too many requests; ask again in ${retryAfterMs / 1000} s`
        return failed(type, { status: 'E_UNAVAILABLE', statusText })
      },
      failed: () => {
        const statusText = 'the rendezvous point could not answer; its log says why'
        return failed(type, { status: 'E_INTERNAL_ERROR', statusText })
      },
    })
  }
}

function readFrame(frame: Frame): RendezvousMessage | MessageFault {
  return 'tooLong' in frame ? { fault: 'message_too_long', type: typeOf(frame.tooLong) } : decodeMessage(frame)
}

function failed(type: 'REGISTER' | 'UNREGISTER' | 'DISCOVER', failure: Failure): RendezvousMessage | undefined {
  switch (type) {
    case 'REGISTER':
      return { type: 'REGISTER_RESPONSE', ...failure, ttlMs: undefined }
    case 'DISCOVER':
      return { type: 'DISCOVER_RESPONSE', ...failure, registrations: [], cookie: undefined }
    case 'UNREGISTER':
      return undefined
  }
}
