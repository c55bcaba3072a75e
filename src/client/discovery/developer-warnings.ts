import type { ComponentLogger, Logger } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { remoteText } from '../../base/remote-text.ts'
import type { ExplainedOutcome } from '../../wire/bootstrap-codec.ts'
import type { BootstrapError } from '../bootstrap-error.ts'
import type { Scheduler } from '../scheduler.ts'
import type { Bootstraps } from './bootstraps.ts'
import type { DiscoveryEvent } from './discovery-events.ts'

/** How long a node has no peer before that is said, ms: one that finds peers has found them after some seconds. */
const ALONE_MS = 30_000
/** How long the other conditions hold before they are said, ms: an answer from the far side of the world takes less. */
const SETTLED_MS = 3000
/** A dial-back is decided after 5 s, or by the next registration, seconds later; one that stays open is said after this, ms. */
const UNDECIDED_MS = 30_000
const TICK_MS = 5000
/** Bootstraps, and verdicts, that one line has room for. */
const MAX_REASONS = 3

export interface DeveloperWarningsInit {
  readonly network: string
  readonly bootstraps: Pick<Bootstraps, 'has' | 'size'>
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  /** Whether the node has a `peerKeeper`, which dials the peers that are found. */
  readonly hasKeeper: () => boolean
  readonly logger: ComponentLogger
  readonly scheduler: Scheduler
}

/**
 * What an application's developer has to know and would not learn without `onEvent`: no bootstrap answers; this node is
 * not listed, and why; it has no peers. Each is said once, and again only after it was over.
 */
export class DeveloperWarnings {
  readonly #init: DeveloperWarningsInit
  readonly #log: Logger
  readonly #seen = new Map<string, Seen>()
  readonly #conditions: readonly Condition[] = [
    { holds: () => this.#noAnswer() },
    { holds: () => this.#notListed() },
    { holds: () => this.#noPeers() },
  ]
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

  take(event: DiscoveryEvent): void {
    if (event.type === 'warning') {
      this.#warn = event.message
    } else if (event.type === 'cache') {
      this.#cached = event.peers
    } else if (event.type === 'answer' || event.type === 'outcomes' || event.type === 'failure') {
      this.#seen.set(event.bootstrap, after(this.#seen.get(event.bootstrap) ?? UNSEEN, event))
    }
    this.#check()
  }

  #check(): void {
    const { bootstraps, scheduler } = this.#init
    for (const id of this.#seen.keys()) {
      if (!bootstraps.has(id)) {
        this.#seen.delete(id)
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
      if (!this.#stopped && !condition.said && now - condition.since >= held.patience) {
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
        : { patience: SETTLED_MS, message: `there is no bootstrap to ask. ${why}` }
    }
    const failed = [...this.#seen].flatMap(([id, { answers, error }]) =>
      answers === false && error !== undefined ? `${id}: ${remoteText(error.message)} (${remoteText(error.code)})` : [],
    )
    return failed.length < size
      ? undefined
      : {
          patience: SETTLED_MS,
          message: `no bootstrap answers. ${some(failed)}. Each is tried again; bootstrap-peer check <address> says more`,
        }
  }

  #notListed(): Held | undefined {
    const seen = [...this.#seen.values()]
    const outcomes = seen.flatMap((each) => each.outcomes)
    if (outcomes.length === 0 || seen.some((each) => each.listed)) {
      return undefined
    }
    const reasons = outcomes.map(
      ({ address, status, code, message }) =>
        `${remoteText(address)} is ${status}: ${remoteText(message)} (${remoteText(code)})`,
    )
    return {
      patience: outcomes.some(({ status }) => status === 'refused') ? SETTLED_MS : UNDECIDED_MS,
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
      : { patience: ALONE_MS, message: `no peer has been connected for ${ALONE_MS / 1000} s. ${this.#whyAlone()}` }
  }

  #whyAlone(): string {
    const { bootstraps, network } = this.#init
    const seen = [...this.#seen.values()]
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

/** What one bootstrap did last. */
interface Seen {
  /** Whether it answers what it is asked; undefined when it was not asked yet. */
  readonly answers: boolean | undefined
  /** Whether it has answered since it last failed. One that only fails to register still answers. */
  readonly answeredSince: boolean
  readonly error: BootstrapError | undefined
  readonly peers: number
  readonly listed: boolean
  readonly outcomes: readonly ExplainedOutcome[]
}

const UNSEEN: Seen = {
  answers: undefined,
  answeredSince: false,
  error: undefined,
  peers: 0,
  listed: false,
  outcomes: [],
}

function after(seen: Seen, event: Extract<DiscoveryEvent, { readonly type: 'answer' | 'outcomes' | 'failure' }>): Seen {
  switch (event.type) {
    case 'answer': {
      const { peers, listed } = event
      // Not listed any more: whatever was said of listed addresses is over.
      const outcomes = seen.outcomes.filter(({ status }) => listed || status !== 'listed')
      return { ...seen, answers: true, answeredSince: true, peers, listed, outcomes }
    }
    case 'outcomes': {
      const { registrations: outcomes } = event
      return { ...seen, outcomes, listed: seen.listed || outcomes.some(({ status }) => status === 'listed') }
    }
    case 'failure':
      return { ...seen, answers: seen.answeredSince, answeredSince: false, error: event.error }
  }
}

interface Condition {
  readonly holds: () => Held | undefined
  since?: number | undefined
  said?: boolean
}

interface Held {
  /** How long it has to hold before it is said, ms. */
  readonly patience: number
  readonly message: string
}

function some(reasons: readonly string[]): string {
  const more = reasons.length - MAX_REASONS
  return `${reasons.slice(0, MAX_REASONS).join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

/**
 * libp2p's own logger says nothing, errors included, unless DEBUG names the component; a log that is `enabled` speaks
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
