// The options of the guarded host, their checks and defaults.

import { type ModuleOptions, number } from '../base/option-kinds.ts'
import { MAX_CONNECTIONS } from '../peer/limits.ts'
import { accessRules, disabledParts as disabledKind } from './init-kinds.ts'
import type { Disabled, Optimization, Protection } from './switches.ts'

/** Options of a guarded node. */
export interface HostInit {
  /** The most connections at a time, 8 to 100,000. Default {@link MAX_CONNECTIONS}. */
  readonly maxConnections?: number
  /** IPs and IP ranges that get no connection. PeerIds among them are ignored. Default: none. */
  readonly deny?: readonly string[]
  /** Protections and optimizations to disable, to rule them out while debugging. Default: none. */
  readonly disable?: Disabled
}

/** {@link HostInit} with its defaults. */
export interface HostSettings {
  readonly maxConnections: number
  readonly deny: readonly string[]
  readonly disabled: DisabledParts
}

/** {@link Disabled} with its defaults. */
export interface DisabledParts {
  readonly optimizations: readonly Optimization[]
  readonly protections: readonly Protection[]
}

export function hostSettings({ maxConnections = MAX_CONNECTIONS, deny = [], disable }: HostInit): HostSettings {
  return { maxConnections, deny, disabled: disabledParts(disable) }
}

export function disabledParts({ optimizations = [], protections = [] }: Disabled = {}): DisabledParts {
  return { optimizations, protections }
}

/** What each member can be. */
export const HOST_OPTIONS: ModuleOptions<HostInit> = {
  example: `{ maxConnections: ${MAX_CONNECTIONS} }`,
  table: {
    // Eight are what one IP may have; 100,000 take 10 GB.
    maxConnections: number({ min: 8, max: 100_000, example: MAX_CONNECTIONS }),
    deny: accessRules,
    disable: disabledKind,
  },
  otherNames: { connections: 'maxConnections', denylist: 'deny', blocklist: 'deny', disabled: 'disable' },
}
