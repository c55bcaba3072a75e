// The guard: limits what remote peers can cost the node, through libp2p's gater, encrypter and muxer.

import type {
  ConnectionEncrypter,
  ConnectionGater,
  MessageStream,
  MultiaddrConnection,
  StreamMuxerFactory,
} from '@libp2p/interface'
import { type Caller, callerAt } from '../../peer/caller.ts'
import { accessList } from '../../policy/access-list.ts'
import type { Protection } from '../switches.ts'
import { ConnectionRates } from './connection-rates.ts'
import { type ConnectionLimits, ConnectionTable, type Place } from './connection-table.ts'
import { denyDialMultiaddr } from './dial-rules.ts'
import { type GuardCounters, guardCounters, type HangUp, type Refusal } from './guard-counters.ts'
import { type Checks, GuardedConnection } from './guarded-connection.ts'
import { networksOf } from './guarded-slot.ts'
import { LoopShare } from './loop-share.ts'
import type { LoopWait } from './recent-waits.ts'
import { slowReaders } from './slow-readers.ts'
import { WorkBudgets } from './work-budgets.ts'

export interface GuardInit {
  readonly limits: ConnectionLimits
  /** IPs and IP ranges that get no connection. PeerIds among them do not concern the guard. */
  readonly deny?: readonly string[]
  /** Protections that are disabled. Default: none. */
  readonly disabled?: readonly Protection[]
  /** Milliseconds, monotonic. */
  readonly clock?: () => number
}

/**
 * Limits what remote peers can cost the node, through libp2p's own extension points: the gater meets each socket, the
 * encrypter knows which plain stream belongs to which socket, the muxer factory sees the frames.
 */
export class Guard {
  readonly counters: GuardCounters = guardCounters()
  readonly table: ConnectionTable<GuardedConnection>
  /** From now on newcomers are refused; requests that are being served are served to the end. */
  stopping = false
  readonly #off: ReadonlySet<Protection>
  readonly #checks: Checks
  readonly #maxOpen: number
  readonly #clock: () => number
  readonly #denied: ReturnType<typeof accessList>
  readonly #rates = new ConnectionRates()
  readonly #share: LoopShare | undefined
  readonly #budgets: WorkBudgets | undefined
  readonly #sockets = new WeakMap<MultiaddrConnection | MessageStream, GuardedConnection>()
  readonly #plain = new WeakMap<MessageStream, GuardedConnection>()

  constructor({ limits, deny = [], disabled = [], clock = () => performance.now() }: GuardInit) {
    this.#off = new Set(disabled)
    this.#checks = {
      bytes: this.protects('bytes'),
      frames: this.protects('frames'),
      slowReaders: this.protects('slowReaders'),
    }
    this.#clock = clock
    this.#share = this.protects('loopShare') ? new LoopShare(clock) : undefined
    this.#budgets = this.protects('groups') ? new WorkBudgets() : undefined
    this.#denied = accessList({ deny, allow: [] })
    this.#maxOpen = limits.open
    this.table = new ConnectionTable({
      ...limits,
      ...(this.protects('groups') ? {} : { perIp: Infinity, perSite: Infinity, perSubnet: Infinity }),
      ...(this.protects('halfOpen') ? {} : { halfOpen: Infinity }),
    })
  }

  protects(protection: Protection): boolean {
    return !this.#off.has(protection)
  }

  /** Every callback returns at once: libp2p holds a place while it waits for a gater. `true` denies. */
  get connectionGater(): ConnectionGater {
    return {
      denyInboundConnection: (maConn) => this.#arrive(maConn),
      denyInboundUpgradedConnection: (_, maConn) => this.#settle(maConn),
      ...(this.protects('dials') ? { denyDialMultiaddr } : {}),
    }
  }

  /** Resolves when the event loop has time for an answer to a caller; at once where `loopShare` is disabled. */
  async takeShare({ ip, scope }: Caller): Promise<void> {
    await this.#share?.turn(networksOf(ip, scope))
  }

  /** How long input and answers waited for their share of the event loop lately. */
  get loopWait(): LoopWait {
    return this.#share?.waits ?? { p99: 0, max: 0 }
  }

  /** Remembers which plain stream belongs to which socket. */
  encrypter<Components>(
    factory: (components: Components) => ConnectionEncrypter,
  ): (components: Components) => ConnectionEncrypter {
    return (components) => {
      const encrypter = factory(components)
      const secureInbound = encrypter.secureInbound.bind(encrypter)
      encrypter.secureInbound = async (socket, options) => {
        const secured = await secureInbound(socket, options)
        const connection = this.#sockets.get(socket)
        if (connection !== undefined) {
          this.#plain.set(secured.connection, connection)
        }
        return secured
      }
      return encrypter
    }
  }

  /** Puts the frame inspector between the encryption and yamux. */
  muxer(factory: () => StreamMuxerFactory): () => StreamMuxerFactory {
    return () => {
      const muxers = factory()
      const createStreamMuxer = muxers.createStreamMuxer.bind(muxers)
      muxers.createStreamMuxer = (plain) => {
        const connection = this.#plain.get(plain)
        connection?.multiplexed(plain)
        const muxer = createStreamMuxer(plain)
        if (connection !== undefined) {
          connection.muxer = muxer
        }
        return muxer
      }
      return muxers
    }
  }

  /** Hangs up on the connections that have to go by now. Call it a few times a second. */
  sweep(): void {
    const now = this.#clock()
    for (const [connection, reason] of this.table.overdue(now)) {
      if (this.protects(reason === 'silent' ? 'halfOpen' : 'idle')) {
        this.#hangUp(connection, reason)
      }
    }
    if (this.protects('slowReaders')) {
      for (const connection of slowReaders(this.table.slots(), now)) {
        this.#hangUp(connection, 'slow_reader')
      }
    }
  }

  #arrive(maConn: MultiaddrConnection): boolean {
    if (this.stopping) {
      return this.#refuse('stopping')
    }
    const caller = callerAt('', maConn.remoteAddr.toString())
    if (caller === undefined) {
      // Not an IP: a unix socket that the operator listens on. A process that can open it is trusted.
      return false
    }
    const { ip, scope } = caller
    const now = this.#clock()
    if (!this.#denied.permits('', ip)) {
      return this.#refuse('denied')
    }
    this.counters.arrived++
    if (this.protects('groups') && !this.#rates.admits(ip, scope, now)) {
      return this.#refuse('rate')
    }
    const connection = new GuardedConnection(maConn, caller, {
      clock: this.#clock,
      checks: this.#checks,
      share: this.#share,
      budgets: this.#budgets,
      onAbuse: (reason) => this.#hangUp(connection, reason),
    })
    const place = this.table.arrive(connection, now)
    if ('refusal' in place) {
      return this.#refuse(place.refusal)
    }
    this.#giveWay(place)
    this.#sockets.set(maConn, connection)
    connection.watch()
    maConn.addEventListener('close', () => this.table.leave(connection), { once: true })
    return false
  }

  #settle(maConn: MultiaddrConnection): boolean {
    const connection = this.#sockets.get(maConn)
    if (connection === undefined || connection.ended) {
      return connection !== undefined
    }
    if (!this.protects('idle') && this.table.open >= this.#maxOpen) {
      return this.#refuse('table_full')
    }
    const place = this.table.settle(connection, this.#clock())
    if ('refusal' in place) {
      return this.#refuse(place.refusal)
    }
    this.#giveWay(place)
    return false
  }

  #giveWay(place: Place<GuardedConnection>): void {
    if ('instead' in place) {
      this.#hangUp(place.instead, place.because)
    }
  }

  #refuse(reason: Refusal): true {
    this.counters.refused[reason]++
    return true
  }

  #hangUp(connection: GuardedConnection, reason: HangUp): void {
    if (connection.ended) {
      return
    }
    this.counters.hungUp[reason]++
    // Its slot is free at once, however long closing takes.
    this.table.leave(connection)
    if (ABUSE.has(reason) && this.protects('groups')) {
      this.#rates.strike(connection.ip, connection.scope, this.#clock())
    }
    if (reason === 'idle' || reason === 'idle_crowded') {
      void connection.close(reason)
    } else {
      connection.abort(reason)
    }
  }
}

/** What no honest peer does, however slow its line. */
const ABUSE: ReadonlySet<HangUp> = new Set(['too_many_bytes', 'invalid_frame', 'too_much_work'])
