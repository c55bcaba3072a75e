// One inbound connection under the guard: what arrived, what waits to be sent, and how it is ended.

import { Socket } from 'node:net'
import type { MessageStream, MultiaddrConnection, StreamMuxer } from '@libp2p/interface'
import { PING_PROTOCOL } from '@libp2p/ping'
import { type Budget, TokenBucket } from '../../base/token-bucket.ts'
import { type Ip, isLimited, type Scope } from '../../peer/ip.ts'
import { FrameInspector } from './frame-inspector.ts'
import type { HangUp } from './guard-counters.ts'
import { type GuardedSlot, networksOf } from './guarded-slot.ts'
import { type Data, interceptMessages } from './intercept-messages.ts'
import type { LoopShare } from './loop-share.ts'
import type { Reader } from './slow-readers.ts'
import { WORK_BUDGETS, type WorkBudgets } from './work-budgets.ts'

/**
 * What one connection may send, bytes: three full streams of requests (16 lines of 8 KiB each) at once, and half a
 * stream a second after that. Honest nodes send a few hundred bytes a few times an hour.
 */
export const BYTE_BUDGET: Budget = { burst: 512 * 1024, perSecond: 64 * 1024 }

/**
 * The most bytes that may wait for a connection to take them. libp2p's default has no limit: a peer that grants a
 * window of 4 GiB and reads nothing could keep all its answers here. Room for more than eight answers of default
 * length.
 */
export const MAX_UNSENT_BYTES = 2 * 1024 * 1024

/** Which checks a connection has to pass. */
export interface Checks {
  readonly bytes: boolean
  readonly frames: boolean
  readonly slowReaders: boolean
}

export interface GuardedConnectionInit {
  readonly clock: () => number
  readonly checks: Checks
  /** Schedules when input is served; undefined serves it at once. */
  readonly share: LoopShare | undefined
  /** What the connections of its address and of its subnet may cost together; undefined has no limit. */
  readonly budgets: WorkBudgets | undefined
  /** Called when the connection does what no honest peer does. What it sent then is not passed on. */
  readonly onAbuse: (reason: HangUp) => void
}

/** An inbound connection: what arrived, what waits to be sent, and how to end it. */
export class GuardedConnection implements GuardedSlot, Reader {
  readonly ip: Ip
  readonly scope: Scope
  readonly networks: readonly string[]
  readonly limited: boolean
  readonly since: number
  heardAt: number
  bytes = 0
  waiting = 0
  usedAt?: number
  askedAt?: number
  stalledSince: number | undefined
  /** Set when it is hung up on. */
  ended = false
  readonly #maConn: MultiaddrConnection
  readonly #checks: Checks
  readonly #share: LoopShare | undefined
  readonly #onAbuse: (reason: HangUp) => void
  readonly #clock: () => number
  #inspector: FrameInspector | undefined
  #muxer: StreamMuxer | undefined
  readonly #budgets: WorkBudgets | undefined
  /** Whether its socket is not read, since bytes wait. */
  #isHeld = false
  /** Pieces of {@link waiting} that came out of the encryption already. */
  #cutPieces = 0

  constructor(
    maConn: MultiaddrConnection,
    { ip, scope }: { readonly ip: Ip; readonly scope: Scope },
    { clock, checks, share, budgets, onAbuse }: GuardedConnectionInit,
  ) {
    this.#maConn = maConn
    this.ip = ip
    this.scope = scope
    this.networks = networksOf(ip, scope)
    this.limited = isLimited(scope)
    this.#clock = clock
    this.#checks = checks
    this.#share = share
    this.#budgets = budgets
    this.#onAbuse = onAbuse
    this.since = clock()
    this.heardAt = this.since
  }

  /** From now on, counts bytes that arrive, and bytes that wait to be sent. */
  watch(): void {
    const { bytes, slowReaders } = this.#checks
    const budget = new TokenBucket(BYTE_BUDGET, this.since)
    if (slowReaders) {
      this.#maConn.maxWriteBufferLength = MAX_UNSENT_BYTES
    }
    this.#maConn.addEventListener('drain', () => {
      this.stalledSince = undefined
    })
    this.#takeTurns()
    interceptMessages(this.#maConn, (data, dispatch) => {
      this.heardAt = this.#clock()
      this.bytes += data.byteLength
      if (bytes && !budget.spend(data.byteLength, this.heardAt)) {
        this.#onAbuse('too_many_bytes')
        return
      }
      dispatch(data)
    })
  }

  /** Before libp2p's own buffer, so that the order of bytes stays the same. */
  #takeTurns(): void {
    const { onData } = this.#maConn as { onData?: (data: Data) => void }
    if (onData === undefined || this.#share === undefined) {
      return
    }
    const deferring = this.#maConn as { onData?: typeof onData }
    deferring.onData = (data) => {
      this.#waitForTurn(data.byteLength, () => onData.call(this.#maConn, data))
    }
  }

  /**
   * Serves it when it is the turn of its network. Until then the connection is not silent, however long that takes, and
   * its socket is not read: reading 1000 busy sockets in every turn took longer than serving some.
   */
  #waitForTurn(bytes: number, serve: () => void): void {
    this.waiting++
    this.#share!.take(this.networks, bytes, () => {
      this.waiting--
      this.heardAt = this.#clock()
      if (!this.ended) {
        serve()
        this.#readOn()
      }
    })
    if (this.waiting > 0) {
      this.#isHeld = true
      this.#socket?.pause()
    }
  }

  #readOn(): void {
    // Where libp2p itself has paused it, that is for libp2p to end.
    const { readStatus } = this.#maConn as { readStatus?: string }
    if (this.#isHeld && this.waiting === 0 && readStatus !== 'paused') {
      this.#isHeld = false
      this.#socket?.resume()
    }
  }

  get #socket(): Socket | undefined {
    const { socket } = this.#maConn as { socket?: unknown }
    return socket instanceof Socket ? socket : undefined
  }

  /** Reads the frames that come out of the encryption from now on. Call it before the muxer listens. */
  multiplexed(plain: MessageStream): void {
    const inspector = new FrameInspector()
    this.#inspector = inspector
    const own = new TokenBucket(WORK_BUDGETS.connection, this.#clock())
    const shared = this.#budgets?.of(this) ?? (() => true)
    interceptMessages(plain, (data, dispatch) => {
      const tally = inspector.inspect(data)
      const now = this.#clock()
      if (this.#checks.frames && (tally === undefined || !own.spend(tally.work, now) || !shared(tally.work, now))) {
        this.#onAbuse(tally === undefined ? 'invalid_frame' : 'too_much_work')
        return
      }
      // What comes on streams for pings alone is no use: a peer that pings for ever would never be idle.
      if (tally?.opens || (tally?.uses && this.streams() > 0)) {
        this.usedAt = now
      }
      if (tally?.opens) {
        this.askedAt = now
      }
      this.#dispatchPieces(data, tally?.cuts ?? [], dispatch, plain)
    })
  }

  /** In order: what arrives while pieces wait is a piece behind them. */
  #dispatchPieces(data: Data, cuts: readonly number[], dispatch: (data: Data) => void, plain: MessageStream): void {
    if (this.#share === undefined || (cuts.length === 0 && this.#cutPieces === 0)) {
      dispatch(data)
      return
    }
    for (const [i, end] of [...cuts, data.byteLength].entries()) {
      const piece = data.subarray(cuts[i - 1] ?? 0, end)
      this.#cutPieces++
      this.#waitForTurn(piece.byteLength, () => {
        this.#cutPieces--
        if (plain.status === 'open' && piece.byteLength > 0) {
          dispatch(piece)
        }
      })
    }
  }

  set muxer(muxer: StreamMuxer) {
    this.#muxer = muxer
  }

  unfinished(): boolean {
    return this.#inspector?.unfinished ?? false
  }

  streams(): number {
    let count = 0
    for (const { protocol } of this.#muxer?.streams ?? []) {
      count += protocol === PING_PROTOCOL ? 0 : 1
    }
    return count
  }

  get unsent(): number {
    const streams = this.#muxer?.streams ?? []
    return streams.reduce((sum, stream) => sum + stream.writeBufferLength, this.#maConn.writeBufferLength)
  }

  get stalled(): boolean {
    return this.#maConn.writableNeedsDrain
  }

  abort(reason: HangUp): void {
    this.ended = true
    this.#maConn.abort(new Error(`hung up: ${reason}`))
  }

  /** Closes as yamux does, so that the other side learns of it at once. */
  async close(reason: HangUp): Promise<void> {
    this.ended = true
    const signal = AbortSignal.timeout(GOODBYE_MS)
    try {
      await this.#muxer?.close({ signal })
      await this.#maConn.close({ signal })
    } catch {
      this.#maConn.abort(new Error(`hung up: ${reason}`))
    }
  }
}

/** How long closing may take, ms. libp2p's connectionCloseTimeout is the same. */
const GOODBYE_MS = 1000
