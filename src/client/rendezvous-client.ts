// The client of one rendezvous point over `/rendezvous/1.0.0`.

import type { AbortOptions, Libp2p, PrivateKey } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { openRecord, type RecordForm, sealRecord } from '../peer/record.ts'
import { type Frame, readMessages, writeMessage } from '../streams/messages.ts'
import { decodeMessage, encodeMessage, isMessageFault } from '../wire/rendezvous-codec.ts'
import {
  MAX_MESSAGE_BYTES,
  RENDEZVOUS_PROTOCOL,
  type Register,
  type RendezvousMessage,
  type Status,
} from '../wire/rendezvous-messages.ts'
import { CALL_TIMEOUT_MS } from './exchange.ts'
import {
  checkDiscover,
  checkRegister,
  checkRendezvousClient,
  type RendezvousClientInit,
  type RendezvousDiscoverOptions,
  type RendezvousRegisterOptions,
} from './rendezvous-options.ts'

/** The part of a libp2p node that the client uses. */
export type RendezvousDialer = Pick<Libp2p, 'peerId' | 'dialProtocol'>

/** A peer that a rendezvous point names, with its signature verified. Its addresses are its own word. */
export interface RendezvousPeer {
  /** base58btc. */
  readonly id: string
  readonly namespace: string
  /** Multiaddrs as they stand in its record. */
  readonly multiaddrs: readonly string[]
  /** How long the registration lasts from the answer, ms, as the rendezvous point says. */
  readonly ttl: number
}

export interface RendezvousPage {
  readonly peers: readonly RendezvousPeer[]
  /** Asks for the next page, and after the last page for the changes since. */
  readonly cookie: Uint8Array
}

/** A rendezvous point refused, or gave an answer that cannot be read (`status` is then undefined). */
export class RendezvousError extends Error {
  override name = 'RendezvousError'
  readonly status: Status | undefined

  constructor(status: Status | undefined, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/**
 * A client of `/rendezvous/1.0.0`, for any rendezvous point.
 *
 * ```ts
 * const point = new RendezvousClient(node, '/ip4/203.0.113.7/tcp/4000/p2p/12D3Koo…', { privateKey })
 * await point.register('mychain', ['/ip4/198.51.100.2/tcp/4001'])
 * const { peers, cookie } = await point.discover('mychain')
 * ```
 *
 * Every call opens a stream of its own, dialling where there is no connection, and rejects with
 * {@link RendezvousError} when it is refused, and with libp2p's error when nothing answers.
 */
export class RendezvousClient {
  readonly #dialer: RendezvousDialer
  readonly #point: string
  readonly #privateKey: PrivateKey | undefined
  readonly #timeout: number
  #form: RecordForm | undefined
  #seq = 0n

  /**
   * `point` is the multiaddr of the rendezvous point, with `/p2p`. Throws a TypeError that says what to write instead when
   * an argument or an option is not what it can be.
   */
  constructor(dialer: RendezvousDialer, point: string, init: RendezvousClientInit = {}) {
    checkRendezvousClient(dialer, point, init)
    this.#dialer = dialer
    this.#point = point
    this.#privateKey = init.privateKey
    this.#timeout = init.timeout ?? CALL_TIMEOUT_MS
    this.#form = init.form
  }

  /** Registers addresses, all of them or none. Resolves to how long it lasts, ms. */
  async register(
    namespace: string,
    addresses: readonly string[],
    options: RendezvousRegisterOptions = {},
  ): Promise<number> {
    checkRegister(options)
    if (this.#form !== undefined) {
      return await this.#register(namespace, addresses, this.#form, options)
    }
    try {
      const ttl = await this.#register(namespace, addresses, 'standard', options)
      this.#form = 'standard'
      return ttl
    } catch (err) {
      if (!isAboutTheRecord(err)) {
        throw err
      }
      // rust-libp2p's server has no status for a record of the other form; it hangs up.
      const ttl = await this.#register(namespace, addresses, 'routing-state', options).catch(() => Promise.reject(err))
      this.#form = 'routing-state'
      return ttl
    }
  }

  /** Takes the registration back. There is no answer to it: it resolves when it is sent. */
  async unregister(namespace: string, options: AbortOptions = {}): Promise<void> {
    await this.#exchange({ type: 'UNREGISTER', ns: namespace }, options)
  }

  /**
   * One page of the peers of a namespace; of all, without one. With the cookie of the page before, the next; a page
   * without peers is the end for now. Records that are not signed by their peers are left out.
   */
  async discover(namespace?: string, options: RendezvousDiscoverOptions = {}): Promise<RendezvousPage> {
    checkDiscover(options)
    const { limit, cookie } = options
    const answer = await this.#exchange({ type: 'DISCOVER', ns: namespace, limit, cookie }, options)
    if (answer?.type !== 'DISCOVER_RESPONSE') {
      throw unreadable()
    }
    assertOk(answer)
    const peers = await Promise.all(answer.registrations.map(readPeer))
    return { peers: peers.filter((peer) => peer !== undefined), cookie: answer.cookie ?? new Uint8Array(0) }
  }

  async #register(
    namespace: string,
    addresses: readonly string[],
    form: RecordForm,
    options: RendezvousRegisterOptions,
  ): Promise<number> {
    if (this.#privateKey === undefined) {
      throw new TypeError('the client has no private key to sign a record with')
    }
    // Milliseconds, as js-libp2p's identify counts them, but no two records have the same number.
    const now = BigInt(Date.now())
    this.#seq = now > this.#seq ? now : this.#seq + 1n
    const signedPeerRecord = await sealRecord(this.#privateKey, { addresses, seq: this.#seq, form })
    const answer = await this.#exchange(
      { type: 'REGISTER', ns: namespace, signedPeerRecord, ttlMs: options.ttl },
      options,
    )
    if (answer?.type !== 'REGISTER_RESPONSE') {
      throw unreadable()
    }
    assertOk(answer)
    return answer.ttlMs ?? 0
  }

  /** Undefined when the far side closed without an answer. */
  async #exchange(request: RendezvousMessage, { signal }: AbortOptions): Promise<RendezvousMessage | undefined> {
    const deadline = AbortSignal.timeout(this.#timeout)
    const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline])
    const stream = await this.#dialer.dialProtocol(multiaddr(this.#point), RENDEZVOUS_PROTOCOL, { signal: either })
    try {
      const answers = readMessages(stream, { maxBytes: MAX_MESSAGE_BYTES, timeout: this.#timeout }, either)
      await writeMessage(
        stream,
        encodeMessage(request),
        { timeout: this.#timeout, onWait: () => {}, onWaitOver: () => {} },
        either,
      )
      await stream.close({ signal: either })
      const { value } = request.type === 'UNREGISTER' ? { value: undefined } : await answers.next()
      return value === undefined ? undefined : readAnswer(value)
    } catch (err) {
      stream.abort(err instanceof Error ? err : new Error(String(err)))
      throw err
    }
  }
}

function readAnswer(frame: Frame): RendezvousMessage {
  const message = 'tooLong' in frame ? undefined : decodeMessage(frame)
  if (message === undefined || isMessageFault(message)) {
    throw unreadable()
  }
  return message
}

async function readPeer({ ns, signedPeerRecord, ttlMs = 0 }: Register): Promise<RendezvousPeer | undefined> {
  const record = signedPeerRecord === undefined ? 'record_not_an_envelope' : await openRecord(signedPeerRecord)
  return typeof record === 'string'
    ? undefined
    : { id: record.peerId, namespace: ns ?? '', multiaddrs: record.addresses, ttl: ttlMs ?? 0 }
}

function assertOk({ status, statusText }: { readonly status: Status; readonly statusText: string | undefined }): void {
  if (status !== 'OK') {
    throw new RendezvousError(status, statusText || `the rendezvous point refused: ${status}`)
  }
}

function unreadable(): RendezvousError {
  return new RendezvousError(undefined, 'the rendezvous point gave no answer that can be read')
}

/** Whether a registration failed in a way that another form of record may not. */
function isAboutTheRecord(err: unknown): boolean {
  return err instanceof RendezvousError
    ? err.status === undefined || err.status === 'E_INVALID_SIGNED_PEER_RECORD' || err.status === 'E_INTERNAL_ERROR'
    : err instanceof Error && HANGING_UP.has(err.name)
}

const HANGING_UP = new Set(['StreamResetError', 'UnexpectedEOFError', 'StreamClosedError', 'StreamStateError'])
