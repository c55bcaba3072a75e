// Logs, once each, what a developer has to know of, such as that no bootstrap answers.

import type { ComponentLogger, Logger } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { remoteText } from '../../base/remote-text.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Bootstraps } from './bootstraps.ts'
import type { DiscoveryEvent } from './discovery-events.ts'
import { heard, type LastHeard } from './last-heard.ts'

/** How long a node has no peer before the warning, ms: a node that finds peers has found them after some seconds. */
const ALONE_MS = 30_000
/** How long the other conditions hold before the warning, ms: an answer from the far side of the world takes less. */
const SETTLED_MS = 3000
/** A dial-back has an outcome after 5 s, or at the next registration, seconds later. Without one the warning is after this, ms. */
const UNDECIDED_MS = 30_000
const TICK_MS = 5000
/** The most bootstraps, and outcomes, that one line names. */
const MAX_REASONS = 3
const MAX_SAID = 8

export interface DeveloperWarningsInit {
  readonly network: string
  readonly bootstraps: Pick<Bootstraps, 'has' | 'size'>
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  /** Why a node that listens, and is to be registered, has nothing to register; undefined when it has, or does not listen. */
  readonly unregistrable: () => string | undefined
  /** Whether the node has a `peerKeeper`, which dials the peers that are found. */
  readonly hasKeeper: () => boolean
  readonly logger: ComponentLogger
  readonly scheduler: Scheduler
}

/**
 * Warns of what an application's developer has to know and would not learn without `onEvent`: no bootstrap answers; this
 * node has nothing to register; it is not listed, and why; it has no peers. Each once, and again only after it was over.
 */
export class DeveloperWarnings {
  readonly #init: DeveloperWarningsInit
  readonly #log: Logger
  readonly #heard = new Map<string, LastHeard>()
  readonly #conditions: readonly Condition[] = [
    { holds: () => this.#noAnswer() },
    { holds: () => this.#nothingToRegister() },
    { holds: () => this.#notListed() },
    { holds: () => this.#noPeers() },
  ]
  readonly #said = new Set<string>()
  #warn: string | undefined
  #cached = 0
  #stopped = false
  #cancelTick = () => {}

  constructor(init: DeveloperWarningsInit) {
    this.#init = init
    this.#log = audible(init.logger.forComponent('bootstrap-peer:discovery'))
  }

  /** Once. */
  start(): void {
    this.#cancelTick = this.#init.scheduler.after(TICK_MS, () => this.start())
    this.#check()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTick()
  }

  /** Warns of something that is not over by itself, such as a cache that cannot be read: once, and of the first few only. */
  say(message: string): void {
    if (!this.#said.has(message) && this.#said.size < MAX_SAID) {
      this.#said.add(message)
      this.#log.error('%s. (Warned once; pass onEvent to get every event instead.)', message)
    }
  }

  take(event: DiscoveryEvent): void {
    if (event.type === 'warning') {
      this.#warn = event.message
    } else if (event.type === 'cache') {
      this.#cached = event.peers
    } else if (event.type === 'answer' || event.type === 'outcomes' || event.type === 'failure') {
      this.#heard.set(event.bootstrap, heard(event, this.#heard.get(event.bootstrap)))
    }
    this.#check()
  }

  #check(): void {
    const { bootstraps, scheduler } = this.#init
    for (const id of this.#heard.keys()) {
      if (!bootstraps.has(id)) {
        this.#heard.delete(id)
      }
    }
    const now = scheduler.now()
    for (const condition of this.#conditions) {
      const held = condition.holds()
      if (held === undefined) {
        condition.since = undefined
        condition.said = false
        continue
      }
      condition.since ??= now
      if (!this.#stopped && !condition.said && now - condition.since >= held.afterMs) {
        condition.said = true
        this.#log.error('%s. (Warned once; pass onEvent to get every event instead.)', held.message)
      }
    }
  }

  #noAnswer(): Held | undefined {
    const { size } = this.#init.bootstraps
    if (size === 0) {
      const why = remoteText(this.#warn ?? '')
      return this.#warn === undefined
        ? undefined
        : { afterMs: SETTLED_MS, message: `there is no bootstrap to ask. ${why}` }
    }
    const failed = [...this.#heard].flatMap(([id, { answers, error }]) =>
      answers === false && error !== undefined ? `${id}: ${remoteText(error.message)} (${remoteText(error.code)})` : [],
    )
    return failed.length < size
      ? undefined
      : {
          afterMs: SETTLED_MS,
          message: `no bootstrap answers. ${some(failed)}. Each is tried again; bootstrap-peer check <address> says more`,
        }
  }

  #nothingToRegister(): Held | undefined {
    const why = this.#init.unregistrable()
    return why === undefined
      ? undefined
      : {
          afterMs: SETTLED_MS,
          message:
            `this node listens, but has no address to register, so others cannot find it. ${why}. Listen at ` +
            '/ip4/0.0.0.0/tcp/<port> too; if finding others is enough, set register: false',
        }
  }

  #notListed(): Held | undefined {
    const seen = [...this.#heard.values()]
    const outcomes = seen.flatMap((each) => each.outcomes)
    if (outcomes.length === 0 || seen.some((each) => each.listed)) {
      return undefined
    }
    const reasons = outcomes.map(
      ({ address, status, code, message }) =>
        `${remoteText(address)} is ${status}: ${remoteText(message)} (${remoteText(code)})`,
    )
    return {
      afterMs: outcomes.some(({ status }) => status === 'refused') ? SETTLED_MS : UNDECIDED_MS,
      message:
        `no bootstrap lists this node, so others cannot find it. ${some([...new Set(reasons)])}. It finds others all the ` +
        'same; if that is enough, set register: false',
    }
  }

  #noPeers(): Held | undefined {
    const { bootstraps, connectionManager } = this.#init
    const connected = connectionManager
      .getConnections()
      .some(({ remotePeer }) => !bootstraps.has(remotePeer.toString()))
    return connected
      ? undefined
      : { afterMs: ALONE_MS, message: `no peer has been connected for ${ALONE_MS / 1000} s. ${this.#whyAlone()}` }
  }

  #whyAlone(): string {
    const { bootstraps, network } = this.#init
    const seen = [...this.#heard.values()]
    const known = Math.max(this.#cached, ...seen.map(({ peers }) => peers))
    if (known > 0) {
      return this.#init.hasKeeper()
        ? `Known peers: ${known}. None of them could be reached`
        : `Known peers: ${known}. libp2p dials none of them by itself: add peerKeeper() of bootstrap-peer/client to services, or ` +
            'dial on peer:discovery'
    }
    if (!seen.some(({ answers }) => answers)) {
      return bootstraps.size === 0 ? 'There is no bootstrap to ask' : 'No bootstrap has answered'
    }
    return (
      `The bootstraps name no other peer of the network ${JSON.stringify(network)}. That is right for the first node of a ` +
      'network; else see that the option network is the same on all nodes'
    )
  }
}

interface Condition {
  readonly holds: () => Held | undefined
  since?: number | undefined
  said?: boolean
}

interface Held {
  /** How long it has to hold before the warning, ms. */
  readonly afterMs: number
  readonly message: string
}

function some(reasons: readonly string[]): string {
  const more = reasons.length - MAX_REASONS
  return `${reasons.slice(0, MAX_REASONS).join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

/**
 * libp2p's own logger writes nothing, errors included, unless DEBUG names the component; a log that is `enabled` writes
 * all the same. Another logger has no such switch on `error`, and decides itself.
 */
function audible(log: Logger): Logger {
  const { error }: { readonly error: Logger['error'] & { enabled?: boolean } } = log
  // Not `error.enabled !== undefined`: so it is where there is no DEBUG.
  if ('enabled' in error) {
    error.enabled = true
  }
  return log
}
