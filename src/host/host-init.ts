import { MAX_CONNECTIONS } from '../peer/limits.ts'
import type { Disabled, Optimization, Protection } from './switches.ts'

/** What a guarded node leaves to choose. */
export interface HostInit {
  /** The most connections at a time. Default {@link MAX_CONNECTIONS}. */
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
