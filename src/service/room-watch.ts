import { MAX_EXCHANGES } from '../frontends/exchanges/places.ts'
import type { BootstrapStatus } from './status.ts'

/** How long newcomers are counted before it is judged, ms. */
const PERIOD_MS = 60_000
/** More than this part of them refused for lack of room is worth a warning. */
const TOO_MANY = 0.1
/** Fewer newcomers than this say nothing. */
const FEW = 10
/** Between two warnings, ms at least. */
const WARN_AGAIN_MS = 3_600_000

/**
 * Warns when the node has no room: when more than a tenth of the newcomers of a minute was refused for it, once an hour
 * at most. A newcomer is a connection or an exchange. One that is refused because its own IP or subnet has its share does
 * not count: one machine could raise the alarm with it.
 */
export class RoomWatch {
  #before: Newcomers = { connections: { came: 0, refused: 0 }, exchanges: { came: 0, refused: 0 } }
  #since: number | undefined
  #warnedAt = Number.NEGATIVE_INFINITY

  /** Looks at the status; call it at least a few times a minute. Returns the warning, if there is one. */
  see(status: Pick<BootstrapStatus, 'guard' | 'counters' | 'exchanges'>, now: number): string | undefined {
    this.#since ??= now
    if (now >= this.#since && now - this.#since < PERIOD_MS) {
      return undefined
    }
    const before = this.#before
    const all = newcomers(status)
    this.#before = all
    this.#since = now
    if (Math.abs(now - this.#warnedAt) < WARN_AGAIN_MS) {
      return undefined
    }
    const turnedAway = [
      sentence(all.connections, before.connections, CONNECTIONS),
      // Below half of the places, an exchange is refused for the share of its IP or subnet alone.
      status.exchanges.open > MAX_EXCHANGES / 2 ? sentence(all.exchanges, before.exchanges, EXCHANGES) : undefined,
    ].filter((each) => each !== undefined)
    if (turnedAway.length === 0) {
      return undefined
    }
    this.#warnedAt = now
    return `${turnedAway.join('; ')}. If few networks send them, deny those; if many do, another node beside this one, as a sibling, takes a part`
  }
}

/** Counts since the start. */
interface Newcomers {
  readonly connections: Count
  readonly exchanges: Count
}

interface Count {
  readonly came: number
  readonly refused: number
}

const CONNECTIONS = ['connections', 'raise max-connections if there is memory for it'] as const
const EXCHANGES = ['exchanges', 'they came faster than the node answers'] as const

function newcomers({ guard, counters }: Pick<BootstrapStatus, 'guard' | 'counters'>): Newcomers {
  const { arrived = 0, refused } = guard?.counters ?? {}
  const { requests, silent, noRoom } = counters
  return {
    connections: {
      came: arrived - (refused?.rate ?? 0) - (refused?.group_full ?? 0),
      refused: (refused?.half_open_full ?? 0) + (refused?.table_full ?? 0),
    },
    exchanges: { came: requests + silent + noRoom, refused: noRoom },
  }
}

function sentence(now: Count, before: Count, [what, advice]: readonly [string, string]): string | undefined {
  const came = now.came - before.came
  const refused = now.refused - before.refused
  return came >= FEW && refused > came * TOO_MANY
    ? `no room for ${refused} of ${came} ${what} within a minute: ${advice}`
    : undefined
}
